/** Files that the user drops in or chooses: photos with the name of their folder, and others. */

/** A file with the folder that directly contains it. */
export interface FileInFolder {
  readonly file: File;
  /** Name of the folder; undefined for a file that was dropped alone. */
  readonly folder: string | undefined;
}

/** The kinds of files that the app reads. */
export type FileKind = 'photo' | 'model' | 'checkpoint' | 'project' | 'other';

const ENDINGS: Readonly<Record<string, FileKind>> = {
  tflite: 'model',
  safetensors: 'checkpoint',
  zip: 'project',
  sartor: 'project',
};
const IMAGES = /\.(jpe?g|png|webp|gif|avif|bmp|heic)$/i;

/** Return the kind of a file, from its type and the ending of its name. */
export function kindOf({ name, type }: File): FileKind {
  if (type.startsWith('image/') || IMAGES.test(name)) {
    return 'photo';
  }
  return ENDINGS[name.split('.').pop()?.toLowerCase() ?? ''] ?? 'other';
}

/** Return the files of a drop, those in folders too. Call it in the handler of the event. */
export async function filesOfDrop(data: DataTransfer): Promise<FileInFolder[]> {
  // The list of items is empty after the handler has ended.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = [...data.files];
  if (entries.every((entry) => entry === null)) {
    return files.map((file) => ({ file, folder: undefined }));
  }
  const lists = await Promise.all(
    entries.filter((entry) => entry !== null).map((entry) => filesOfEntry(entry, undefined)),
  );
  return lists.flat();
}

/** Return the files of an input element, with the folders of an input of folders. */
export function filesOfInput(files: FileList): FileInFolder[] {
  return [...files]
    .filter(({ name }) => !name.startsWith('.'))
    .map((file) => ({ file, folder: file.webkitRelativePath.split('/').at(-2) }));
}

async function filesOfEntry(
  entry: FileSystemEntry,
  folder: string | undefined,
): Promise<FileInFolder[]> {
  if (entry.name.startsWith('.')) {
    return [];
  }
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => {
      (entry as FileSystemFileEntry).file(resolve, reject);
    });
    return [{ file, folder }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: FileInFolder[] = [];
  for (;;) {
    // A reader returns about a hundred entries at a time, and none at the end.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (part.length === 0) {
      return files;
    }
    const lists = await Promise.all(part.map((each) => filesOfEntry(each, entry.name)));
    files.push(...lists.flat());
  }
}
