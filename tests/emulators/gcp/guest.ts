/** A machine as what it runs sees it: an instance, or a host of a TPU slice. */
export type Guest = {
  name: string;
  /** Of its metadata. */
  attribute: (key: string) => string | undefined;
};

/** What the processes of a machine have in their environment besides, by the directory that it has. */
export type MachineEnv = (guest: Guest, directory: string) => Record<string, string>;
