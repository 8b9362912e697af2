/** Why a trainer can't read a picture, and what to do: sentences for people, without the file's name. */
export class PictureProblem extends Error {
  constructor(
    message: string,
    readonly remedy = 'Save it as PNG or JPEG and upload it again.',
  ) {
    super(message);
  }
}

/** Its pixels can't be read: a trainer ends at it. The other reasons are those of the sidecar's own memory and time. */
export class DamagedPicture extends PictureProblem {}
