/** A value as the API server gives it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** The part of Kubernetes' object metadata that the operator reads; it carries the rest along as it is. */
export type ResourceMetadata = {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  /** Grows with every change of `spec`. */
  readonly generation: number
  readonly creationTimestamp?: string
  /** There from the moment that somebody deletes the resource, until its last finalizer is gone. */
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}
