/** The fault that never gets in: a vm.conf that can't be read is refused at the door. */
export const BAD_VM_CONF = {
  name: 'bad-vm-conf',
  title: 'the ticket brings a broken vm.conf: the front door answers 422 and names every problem',
  vmConf: 'vmId=not-a-uuid\nmemSize=lots\ndevices={index:0,iface:virtio,format:raw,device:disk,type:disk\nsmp=4\n',
} as const;
