/** The pod's host, as its environment variables describe it. */
export type Pod = ReturnType<typeof podOf>;

/**
 * RunPod: `RUNPOD_POD_ID`, and `https://<id>-<port>.proxy.runpod.net` for ports that the pod exposes over HTTP
 * (docs.runpod.io/pods/configuration/expose-ports); its images have an nginx that answers on the port above ours. Vast:
 * `PUBLIC_IPADDR`, and `VAST_TCP_PORT_<port>`, which it is mapped to (docs.vast.ai/guides/instances/connect/networking).
 */
export function podOf(environment: NodeJS.ProcessEnv) {
  const id = /^[\w-]+$/.exec(environment.RUNPOD_POD_ID ?? '')?.[0].toLowerCase();
  const { PUBLIC_IPADDR: ip } = environment;
  return {
    /** Does the host's proxy reach this pod under this name? */
    owns: (name: string) =>
      id !== undefined && name.startsWith(`${id}-`) && /^-\d+\.proxy\.runpod\.net$/.test(name.slice(id.length)),
    /** The address at which browsers reach one of its ports, or null if unknown. */
    address(port: number) {
      const mapped = environment[`VAST_TCP_PORT_${port}`];
      if (id) return `https://${id}-${port}.proxy.runpod.net/`;
      return ip && mapped ? `http://${ip.trim()}:${mapped}/` : null;
    },
  };
}
