/** Functions of `node:fs`, with callbacks, promises or neither, by what they do with the paths that they are given. */
export const READING = ["readFileSync", "readFile", "createReadStream", "openAsBlob", "openAsBlobSync"];
/** Those that tell whether a file is there. */
export const LOOKING = ["existsSync", "exists", "accessSync", "access"];
export const ASKING = ["statSync", "stat", "lstatSync", "lstat"];
/** Those that tell where symbolic links lead. */
export const FOLLOWING = ["realpathSync", "realpath"];
export const READING_LINKS = ["readlinkSync", "readlink"];
export const LISTING = ["readdirSync", "readdir", "opendirSync", "opendir"];
/** Those that read what their first argument names, and write what their second one does. */
export const COPYING = ["copyFileSync", "copyFile", "cpSync", "cp"];
export const MOVING = ["renameSync", "rename"];
export const WRITING = ["writeFileSync", "writeFile"];
/** Those that do not say what will be in the file. */
export const CHANGING = ["appendFileSync", "appendFile", "createWriteStream", "truncateSync", "truncate"];
export const REMOVING = ["unlinkSync", "unlink", "rmSync", "rm", "rmdirSync", "rmdir"];
export const MAKING = ["mkdirSync", "mkdir"];
/** Those that make what their second argument names. */
export const LINKING = ["symlinkSync", "symlink", "linkSync", "link"];
export const OPENING = ["openSync", "open"];
