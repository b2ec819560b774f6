import { Option } from 'commander';

/** Said each time, or once in the environment: most installations have one cluster. */
export function clusterOption(): Option {
  return new Option('--cluster <name>', 'cluster of the hosted engine').env('BELLWETHER_CLUSTER').makeOptionMandatory();
}
