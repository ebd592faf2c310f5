/** The major version of the Node that runs this. */
export const NODE_MAJOR: number = Number.parseInt(process.versions.node, 10);
