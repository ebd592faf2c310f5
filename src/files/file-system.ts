/** Which file systems report all writes to the machine that watches. */
import { statfsSync } from "node:fs";
import { errorCode } from "./stamps.js";

/** `f_type` of Linux file systems that other machines (or a container's host) write to without events here. */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x01021997, // 9p: WSL's Windows drives, some virtual machines
  0x65735546, // FUSE: sshfs, virtiofs, Docker Desktop's shares
  0x786f4256, // VirtualBox shares
  0xbacbacbc, // VMware shares
  0x5346414f, // AFS
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
]);

/**
 * Whether files of this folder may be written elsewhere. A probe cannot tell: its own write is made on this side.
 * False when it cannot be found out.
 */
export function isRemote(folder: string, typeOf = (of: string): number => statfsSync(of).type): boolean {
  if (process.platform !== "linux") return false;
  try {
    return REMOTE.has(typeOf(folder));
  } catch (error) {
    errorCode(error);
    return false;
  }
}
