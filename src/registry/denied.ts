import { isParcomoloError, ParcomoloError } from '../base/index.ts'

/** Whether a registry's answer says that this user may not. */
export const isDenied = (status: unknown): boolean => status === 401 || status === 403

/**
 * Work of a start, which has nothing to go on with, and where what is wrong stands in the configuration: what is denied
 * rejects as an error that no wait mends.
 */
export const deniedAtOnce = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_REGISTRY_UNAVAILABLE') || !isDenied(error.details['status'])) throw error
    throw new ParcomoloError(error.code, error.message, { details: error.details, cause: error })
  }
}
