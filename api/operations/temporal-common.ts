/** What the three Temporal adapters share: patience, and gRPC's answers in the front door's words. */
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { Unavailable } from '../ports.ts';

/** Patience, milliseconds; see `TemporalPortsOptions`. */
export interface Deadlines {
  readonly serverDeadlineMs: number;
  readonly queryDeadlineMs: number;
  readonly updateDeadlineMs: number;
}

/** Status codes of gRPC that we act on. */
export const GRPC = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
} as const;

/** The gRPC error itself, or the one inside the client's wrapper. */
export function grpcError(error: unknown): { readonly code: number; readonly details: string } | undefined {
  const inner = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(inner) ? { code: inner.code, details: inner.details } : undefined;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || grpcError(error)?.code === GRPC.NOT_FOUND;
}

/**
 * A server that is away, slow, overloaded or refuses us: the caller is told to come back.
 * @throws the error itself when it is our own mistake (a malformed request, a bug).
 */
export function unavailable(error: unknown): Unavailable {
  const grpc = grpcError(error);
  if (grpc === undefined || grpc.code === GRPC.INVALID_ARGUMENT) throw error;
  const why = grpc.code === GRPC.DEADLINE_EXCEEDED || grpc.code === GRPC.CANCELLED ? 'no answer in time' : grpc.details;
  return { outcome: 'unavailable', why: `Temporal: ${why}` };
}
