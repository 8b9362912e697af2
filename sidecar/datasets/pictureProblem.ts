/** Why a file is no picture that a trainer can read, and what to do: sentences for people, without the file's name. */
export class PictureProblem extends Error {
  constructor(
    message: string,
    readonly remedy = 'Export it again as PNG or JPEG and upload that.',
  ) {
    super(message);
  }
}
