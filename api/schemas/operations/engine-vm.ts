import { z } from '@hono/zod-openapi';
import { optional } from '../optional.ts';

/** The engine needs as much to run at all (he_minimal_mem_size_MB, engine.md 16). */
export const ENGINE_MEMORY_MIB_MIN = 4096;

const memory = z
  .number()
  .int()
  .min(ENGINE_MEMORY_MIB_MIN, `the engine needs at least ${ENGINE_MEMORY_MIB_MIN} MiB`)
  .max(4_194_304);
const count = z.number().int().min(1).max(512);

/** What would saw off the branch that the engine sits on: refused here, whatever the engine would say (engine.md 10). */
const BRANCH: Readonly<Record<string, string>> = {
  deleteProtected: 'the engine VM stays protected: without it one click removes the engine',
  highlyAvailable: 'the hosts’ own HA keeps the engine VM running; a second HA would start it twice',
  remove: 'the engine VM can’t be removed by the engine that runs in it',
  removeDisks: 'its disks are the engine itself, its lockspace, its HA metadata and its configuration',
  removeOvfStore: 'the hosts start the engine VM from it',
  removeDomain: 'the engine VM and its HA lie on it',
  removeNics: 'without its management vNIC the engine loses its hosts',
};

function unknownFields(keys: readonly string[]): string {
  return keys.map((name) => `${name}: ${BRANCH[name] ?? 'nothing that may be changed on the engine VM'}`).join('; ');
}

const change = z
  .strictObject(
    {
      description: optional(z.string().max(4000).openapi({ description: 'The VM’s description in the engine.' })),
      comment: optional(z.string().max(4000).openapi({ description: 'The VM’s comment in the engine.' })),
      memoryMiB: optional(memory.openapi({ description: 'Memory in MiB.', example: 20_480 })),
      maxMemoryMiB: optional(
        memory.openapi({ description: 'How far it can be raised while it runs; not below memoryMiB.' }),
      ),
      guaranteedMemoryMiB: optional(
        z.number().int().min(1).max(4_194_304).openapi({ description: 'Not above memoryMiB.' }),
      ),
      cpu: optional(
        z.strictObject({ sockets: count, cores: count, threads: count }).openapi({
          description: 'The three multiplied are its CPUs.',
          example: { sockets: 6, cores: 1, threads: 1 },
        }),
      ),
      disks: optional(
        z
          .array(z.strictObject({ disk: z.string().min(1).max(250), sizeGiB: z.number().int().min(1).max(65_536) }))
          .min(1)
          .openapi({ description: 'Disks that grow, by name or id, each with its new size.' }),
      ),
      nics: optional(
        z
          .array(
            z.strictObject({
              nic: z.string().min(1).max(250),
              profile: optional(z.string().min(1, 'the engine VM’s vNICs need a profile').max(250)),
              linked: optional(z.boolean()),
            }),
          )
          .min(1)
          .openapi({ description: 'vNICs by name, each with the profile or the link state that it gets.' }),
      ),
    },
    { error: (issue) => (issue.code === 'unrecognized_keys' ? unknownFields(issue.keys) : undefined) },
  )
  .refine((wanted) => Object.keys(wanted).length > 0, 'says nothing that is to change')
  .refine(
    ({ memoryMiB, maxMemoryMiB }) => memoryMiB === undefined || maxMemoryMiB === undefined || memoryMiB <= maxMemoryMiB,
    {
      path: ['maxMemoryMiB'],
      error: 'below memoryMiB',
    },
  )
  .refine(
    ({ memoryMiB, guaranteedMemoryMiB }) =>
      memoryMiB === undefined || guaranteedMemoryMiB === undefined || guaranteedMemoryMiB <= memoryMiB,
    { path: ['guaranteedMemoryMiB'], error: 'above memoryMiB' },
  );

export const editEngineVm = { operation: z.literal('edit-engine-vm'), change };
