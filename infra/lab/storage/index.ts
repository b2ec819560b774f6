/** The lab's storage: what other parts of the lab and tests use. */
export { configurationTar, hostedEngineConf, HE_CONNECTION_ID } from './configuration.ts';
export { createLabStorage, type CreateStorageOptions, ovfStoreImages } from './create.ts';
export { uuidFrom } from './ids.ts';
export { importVmOvf, importVms, type ImportVm } from './import-vms.ts';
export { LabStorage, type OvfStore, type StorageDomainFiles } from './lab-storage.ts';
export {
  formatOvfStoreDescription,
  javaDate,
  type OvfStoreDescription,
  packOvfs,
  parseOvfStoreDescription,
  unpackOvfs,
} from './ovf-store.ts';
export { packTar, unpackTar } from './tar.ts';
export { listImages, listVolumes, type VolumeFile } from './volume-files.ts';
export { BLANK_UUID, type VolumeMetadata } from './volume-metadata.ts';
export { type EngineStatus, formatHostBlock, type HostBlock, parseHostBlock } from './whiteboard.ts';
