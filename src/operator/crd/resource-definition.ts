import { describe } from './describe.ts'
import type { ResourceKind } from './resource-kinds.ts'
import { group, version } from './resources.ts'
import { type Schema, structuralSchema } from './structural-schema.ts'

/** The CustomResourceDefinition of a kind, as the API server takes it. */
export const resourceDefinition = (kind: ResourceKind): Schema => {
  const { kind: name, plural, singular, shortName } = kind.names
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/name': 'parcomolo', 'app.kubernetes.io/part-of': 'parcomolo' }
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: name,
        listKind: `${name}List`,
        plural,
        singular,
        shortNames: [shortName],
        categories: ['parcomolo']
      },
      versions: [versionOf(kind)]
    }
  }
}

const versionOf = (kind: ResourceKind): Schema => ({
  name: version,
  served: true,
  storage: true,
  subresources: { status: {} },
  additionalPrinterColumns: kind.columns.map(({ name, type, path, description, wide = false }) => ({
    name,
    type,
    jsonPath: path,
    description,
    ...(wide && { priority: 1 })
  })),
  ...(kind.selectable.length > 0 && {
    selectableFields: kind.selectable.map((path) => ({ jsonPath: `.spec.${path}` }))
  }),
  schema: { openAPIV3Schema: rootSchema(kind) }
})

const rootSchema = (kind: ResourceKind): Schema => {
  const { pattern, charsMax } = kind.name.type
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Always ${group}/${version}.` },
      kind: { type: 'string', description: `Always ${kind.names.kind}.` },
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength: charsMax } } },
      spec: { description: kind.specDescription, ...structuralSchema(kind.spec) },
      status: { description: kind.statusDescription, ...structuralSchema(kind.status) }
    },
    'x-kubernetes-validations': [
      {
        rule: `self.metadata.name.matches('${pattern!.source}')`,
        message: describe({ ...kind.name, examples: [] }),
        reason: 'FieldValueInvalid',
        fieldPath: '.metadata.name'
      }
    ]
  }
}
