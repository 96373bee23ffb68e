import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Disks } from './disks.ts';
import { OperationFailure } from './errors.ts';
import type { Stockout } from './faults.ts';
import type { Guest, MachineEnv } from './guest.ts';
import { metadataTree, setAddress, setStatus, type Instance } from './instance.ts';
import { link, lastOf, timestamp } from './links.ts';
import { bootMachine } from './machine.ts';
import { startMetadataServer } from './metadata-server.ts';
import type { Network } from './network.ts';
import { regionOf } from './catalogue.ts';
import type { World } from './world.ts';

export type LifeOptions = {
  world: World;
  disks: Disks;
  /** Where machines have their directories; none: instances are records without a process. */
  machinesDir: string | undefined;
  machineEnv: MachineEnv;
  /** Left out: machines share the network of this host. */
  network?: Network | undefined;
  /** An instance is not there any more. */
  onGone: (instance: Instance) => void;
  /** An instance without a process of its own has started, or has to end. */
  onStart: (guest: Guest) => void;
  onStop: (guest: Guest) => void;
};

export type Life = {
  /** From PROVISIONING to RUNNING. @throws OperationFailure where there is no room for it. */
  start: (instance: Instance) => void;
  stop: (instance: Instance) => Promise<void>;
  remove: (instance: Instance) => Promise<void>;
  preempt: (instance: Instance, noticeMs: number) => Promise<void>;
  maintain: (instance: Instance, noticeMs: number) => Promise<void>;
  /** The host breaks: no notice, no restart. */
  breakDown: (instance: Instance) => Promise<void>;
};

/** What happens to an instance between its birth and its end, whoever asked for it. */
export function createLife(options: LifeOptions): Life {
  const { world, disks, onGone, onStop } = options;
  const { operations, quotas, timing } = world;
  const ending = new Map<Instance, Promise<void>>();

  const record = (instance: Instance, type: string, message: string) =>
    operations.record(
      `zones/${instance.zone}`,
      type,
      { resource: instance.address, id: String(instance.resource['id']) },
      message,
    );

  const free = (instance: Instance) => quotas.free(regionOf(instance.zone), instance.use);

  /** Shuts the guest down once, however many ask for it. */
  const shutDown = (instance: Instance, noticeMs: number): Promise<void> => {
    const end = async (): Promise<void> => {
      clearTimeout(instance.limit);
      clearTimeout(instance.boot);
      if (instance.resource['status'] === 'RUNNING') setStatus(instance, 'STOPPING');
      onStop(instance);
      await instance.machine?.shutDown(noticeMs);
      await instance.metadata?.close();
      instance.machine = undefined;
      instance.metadata = undefined;
    };
    const current = ending.get(instance) ?? end().finally(() => ending.delete(instance));
    ending.set(instance, current);
    return current;
  };

  const stopped = (instance: Instance): void => {
    if (instance.goneMs !== undefined || instance.resource['status'] === 'TERMINATED') return;
    setStatus(instance, 'TERMINATED');
    free(instance);
  };
  const removed = (instance: Instance): void => {
    if (instance.goneMs !== undefined) return;
    const held = instance.resource['status'] !== 'TERMINATED';
    setStatus(instance, 'TERMINATED');
    if (held) free(instance);
    instance.goneMs = Date.now();
    disks.detach({ resource: instance.address, zone: instance.zone });
    onGone(instance);
  };
  const stop = async (instance: Instance, noticeMs = timing.shutdownMs): Promise<void> => {
    await shutDown(instance, noticeMs);
    stopped(instance);
  };
  const remove = async (instance: Instance, noticeMs = timing.shutdownMs): Promise<void> => {
    await shutDown(instance, noticeMs);
    removed(instance);
  };
  /** As the instance itself was told to end. */
  const terminate = (instance: Instance, noticeMs: number): Promise<void> =>
    instance.body.scheduling?.instanceTerminationAction === 'DELETE'
      ? remove(instance, noticeMs)
      : stop(instance, noticeMs);

  const powerOff = (instance: Instance): void => {
    record(instance, 'compute.instances.guestTerminate', 'Instance terminated by guest OS shutdown.');
    void stop(instance, 0);
  };
  const boot = (instance: Instance): void => {
    instance.boot = setTimeout(() => void bootGuest(instance, options, () => powerOff(instance)), timing.bootMs);
    const seconds = instance.body.scheduling?.maxRunDuration?.seconds;
    if (seconds === undefined) return;
    const runMs = Number(seconds) * timing.secondMs;
    instance.resource['resourceStatus'] = {
      scheduling: { terminationTimestamp: timestamp(new Date(Date.now() + runMs)) },
    };
    // An emulator does not live longer than a timer can wait.
    instance.limit = setTimeout(() => void terminate(instance, timing.preemptionMs), Math.min(runMs, 2 ** 31 - 1));
    instance.limit.unref();
  };

  return {
    stop,
    remove,
    start: (instance) => {
      const stockout = world.faults.stockoutOf(
        instance.zone,
        lastOf(String(instance.resource['machineType'])),
        instance.isSpot ? 'spot' : 'on-demand',
      );
      if (stockout !== undefined) throw shortage(instance, stockout, world);
      quotas.take(regionOf(instance.zone), instance.use);
      try {
        instance.resource['disks'] = disks.attach(
          { ...instance, resource: instance.address },
          instance.body.disks ?? [],
        );
      } catch (error) {
        free(instance);
        throw error;
      }
      setStatus(instance, 'RUNNING');
      boot(instance);
    },
    preempt: async (instance, noticeMs) => {
      if (!instance.isSpot) throw new Error(`${instance.name} is not a Spot VM.`);
      instance.isPreempted = true;
      instance.metadata?.changed();
      record(instance, 'compute.instances.preempted', 'Instance was preempted.');
      await terminate(instance, noticeMs);
    },
    maintain: async (instance, noticeMs) => {
      instance.maintenanceEvent = 'TERMINATE_ON_HOST_MAINTENANCE';
      instance.metadata?.changed();
      await new Promise((resolve) => setTimeout(resolve, noticeMs));
      record(instance, 'compute.instances.terminateOnHostMaintenance', 'Instance terminated by host maintenance.');
      await stop(instance);
    },
    breakDown: async (instance) => {
      record(instance, 'compute.instances.hostError', `Instance '${instance.name}' encountered host error.`);
      await instance.machine?.cutPower();
      await stop(instance, 0);
    },
  };
}

async function bootGuest(instance: Instance, options: LifeOptions, onPowerOff: () => void): Promise<void> {
  const { world, machinesDir, machineEnv, network, onStart } = options;
  if (machinesDir === undefined) return onStart(instance);
  const directory = mkdtempSync(join(machinesDir, `${instance.name.slice(0, 40)}-`));
  const port = network?.join(directory);
  if (port !== undefined) setAddress(instance, port.address);
  const content = {
    tree: () => metadataTree(instance, world),
    token: (account: string) => {
      const found = (instance.body.serviceAccounts ?? []).find(
        ({ email }) => account === 'default' || account === email,
      );
      return found === undefined ? undefined : world.tokens.issue(found.email);
    },
  };
  const metadata = await startMetadataServer(content, port?.metadataSocket);
  if (instance.resource['status'] !== 'RUNNING') return metadata.close();
  instance.metadata = metadata;
  instance.machine = bootMachine({
    directory,
    startupScript: instance.attribute('startup-script') ?? '',
    place: port ?? { metadataHost: metadata.host },
    env: machineEnv(instance, directory),
    onPowerOff,
  });
}

/** As Google tells that a zone has none left. */
function shortage(
  { zone, resource }: Instance,
  { form = 'details', zonesAvailable = [] }: Stockout,
  { project }: World,
): OperationFailure {
  const machineType = lastOf(String(resource['machineType']));
  const [accelerator] = (resource['guestAccelerators'] ?? []) as {
    acceleratorType: string;
    acceleratorCount: number;
  }[];
  const attachment =
    accelerator === undefined ? '' : `${lastOf(accelerator.acceleratorType)}:${accelerator.acceleratorCount}`;
  const start = `The zone '${link(`projects/${project}/zones/${zone}`).slice(link('').length)}' does not have enough resources available to fulfill the request.`;
  if (form === 'plain')
    return new OperationFailure({
      status: 503,
      code: 'ZONE_RESOURCE_POOL_EXHAUSTED',
      message: `${start}  Try a different zone, or try again later.`,
    });
  if (form === 'text')
    return new OperationFailure({
      status: 503,
      code: 'INTERNAL_ERROR',
      message: `${start}  'NULL:0/NULL:0/NULL:0 (state:STOCKOUT, sub-state:STOCKOUT, resource type:compute)'.`,
    });
  const withAccelerators =
    accelerator === undefined
      ? ''
      : ` with ${accelerator.acceleratorCount} ${lastOf(accelerator.acceleratorType)} accelerator(s)`;
  const elsewhere =
    zonesAvailable.length === 0
      ? ''
      : ` Consider trying your request in the ${zonesAvailable.join(', ')} zone(s), which currently has capacity to accommodate your request.`;
  return new OperationFailure({
    status: 503,
    code: 'ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS',
    message: `${start}  '(resource type:compute)'.`,
    errorDetails: [
      {
        help: {
          links: [
            {
              description: 'Troubleshooting documentation',
              url: 'https://cloud.google.com/compute/docs/resource-error',
            },
          ],
        },
      },
      {
        localizedMessage: {
          locale: 'en-US',
          message: `A ${machineType} VM instance${withAccelerators} is currently unavailable in the ${zone} zone.${elsewhere} Alternatively, you can try your request again with a different VM hardware configuration or at a later time. For more information, see the troubleshooting documentation.`,
        },
      },
      {
        errorInfo: {
          reason: 'resource_availability',
          domain: 'compute.googleapis.com',
          metadatas: { attachment, vmType: machineType, zone, zonesAvailable: zonesAvailable.join(',') },
        },
      },
    ],
  });
}
