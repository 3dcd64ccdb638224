import { ParcomoloError } from '../base/index.ts'

/** `input`: what it is, as it stands after "what follows from". */
export const undecidable = (component: string, input: string, cause: unknown): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_TASK_INPUT_UNDECIDABLE',
    `what follows from ${input} cannot be decided by '${component}': ` +
      `${cause instanceof Error ? cause.message : String(cause)}; nothing has changed; look at what it holds`,
    { cause }
  )
