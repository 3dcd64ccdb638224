/**
 * What a resource's metadata may have beside its name. A file may have it too, since the same text is file and
 * resource; its meaning is Kubernetes' alone, so nothing is said of its form.
 */
export const metadataFields: Readonly<Record<string, string>> = {
  namespace: 'Where the resource is on Kubernetes.',
  labels: 'Short names and values by which resources are found.',
  annotations: 'Names and values for other programs.',
  generateName: 'Kubernetes: the beginning of a name that it makes up.',
  generation: 'Written by Kubernetes: grows with every change of the spec.',
  uid: 'Written by Kubernetes: tells resources apart that have the same name one after the other.',
  resourceVersion: 'Written by Kubernetes: the version of the resource.',
  creationTimestamp: 'Written by Kubernetes: when it was made.',
  deletionTimestamp: 'Written by Kubernetes: when it was deleted.',
  deletionGracePeriodSeconds: 'Written by Kubernetes: how long its end may take.',
  finalizers: 'What has to be done before it is gone.',
  ownerReferences: 'The resources that it goes with.',
  managedFields: 'Written by Kubernetes: who has set which field.',
  selfLink: 'Written by Kubernetes of old: its address.'
}
