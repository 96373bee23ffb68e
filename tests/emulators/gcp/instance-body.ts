/** Of the Instance message, what the emulator reads. */
export type InstanceBody = {
  name: string;
  machineType: string;
  labels?: Record<string, string>;
  metadata?: { items?: { key: string; value: string }[] };
  tags?: { items?: string[] };
  disks?: AttachedDisk[];
  networkInterfaces?: { network?: string; subnetwork?: string; accessConfigs?: unknown[] }[];
  guestAccelerators?: { acceleratorType: string; acceleratorCount: number }[];
  scheduling?: Scheduling;
  serviceAccounts?: { email: string; scopes?: string[] }[];
  params?: { requestValidForDuration?: { seconds: string } };
  reservationAffinity?: { consumeReservationType?: string };
};

export type AttachedDisk = {
  boot?: boolean;
  autoDelete?: boolean;
  source?: string;
  deviceName?: string;
  initializeParams?: {
    diskName?: string;
    diskSizeGb?: string;
    diskType?: string;
    sourceImage?: string;
    labels?: Record<string, string>;
  };
};

export type Scheduling = {
  provisioningModel?: 'STANDARD' | 'SPOT' | 'FLEX_START' | 'RESERVATION_BOUND';
  preemptible?: boolean;
  automaticRestart?: boolean;
  onHostMaintenance?: 'MIGRATE' | 'TERMINATE';
  instanceTerminationAction?: 'STOP' | 'DELETE';
  maxRunDuration?: { seconds: string };
};

export type Accelerators = { type: string; count: number };

export function isSpot({ scheduling }: InstanceBody): boolean {
  return scheduling?.provisioningModel === 'SPOT' || scheduling?.preemptible === true;
}
