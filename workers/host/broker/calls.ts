/** Calls under their limits: each has its own time, and a method that hangs can't use up the room of another. */
import { isMethod, LIMITS_MS, runMethod, type MethodName } from './methods.ts';
import type { BrokerPort } from './port.ts';
import { RpcFault, type RpcCall, type RpcValue } from './xmlrpc.ts';

/** Callers are VDSM, the agent and people: more at once of one method means that it hangs. */
const AT_ONCE = 8;

export interface FailedCall {
  readonly method: string;
  readonly why: string;
  readonly ms: number;
}

export interface CallOptions {
  readonly port: BrokerPort;
  /** Milliseconds; default `LIMITS_MS`. */
  readonly limitsMs?: Partial<Record<MethodName, number>>;
  /** Told of each call that was answered with None or a fault. */
  readonly onFailed?: (failed: FailedCall) => void;
}

/**
 * One call to its answer. Failures answer None, as the reference does (ha-agent.md 4.1).
 *
 * @throws {RpcFault} for a method that does not exist
 */
export type Caller = (call: RpcCall) => Promise<RpcValue>;

function limited(
  work: (signal: AbortSignal) => Promise<RpcValue>,
  limitMs: number,
  ending: AbortSignal,
): Promise<RpcValue> {
  const stop = new AbortController();
  return new Promise((resolve, reject) => {
    const giveUp = (why: string) => {
      const error = new Error(why);
      reject(error);
      stop.abort(error);
    };
    const ended = () => giveUp('the broker is ending');
    const timer = setTimeout(() => giveUp(`no answer within ${limitMs / 1000} s`), limitMs);
    ending.addEventListener('abort', ended, { once: true });
    stop.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    void work(stop.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        ending.removeEventListener('abort', ended);
      });
  });
}

/** @param ending aborted when the broker ends; what is running then is given up */
export function createCaller(options: CallOptions, ending: AbortSignal): Caller {
  const running = new Map<MethodName, number>();

  async function admitted(method: MethodName, work: () => Promise<RpcValue>): Promise<RpcValue> {
    const count = running.get(method) ?? 0;
    if (count >= AT_ONCE) throw new Error(`${count} calls of it are running already`);
    running.set(method, count + 1);
    try {
      return await work();
    } finally {
      running.set(method, (running.get(method) ?? 1) - 1);
    }
  }

  return async ({ method, params }) => {
    const started = performance.now();
    const failed = (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      options.onFailed?.({ method: method.slice(0, 80), why, ms: Math.round(performance.now() - started) });
    };
    if (!isMethod(method)) {
      const fault = new RpcFault(1, `method ${JSON.stringify(method.slice(0, 80))} is not supported`);
      failed(fault);
      throw fault;
    }
    const limitMs = options.limitsMs?.[method] ?? LIMITS_MS[method];
    try {
      return await admitted(method, () =>
        limited(async (signal) => runMethod(options.port, method, params, signal), limitMs, ending),
      );
    } catch (error) {
      failed(error);
      return null;
    }
  };
}
