export {
  type Draft,
  type DraftCall,
  type DraftEmission,
  type DraftExpression,
  type DraftField,
  type DraftFields,
  type DraftItems,
  type DraftNode,
  type DraftParallel,
  type DraftStep,
  type DraftTrigger,
  type DraftUndo,
  type DraftValue,
  stepsOf
} from './draft.ts'
export { createFindings, type Finding, type Findings, findingText } from './findings.ts'
export {
  type Item,
  itemsOf,
  keyList,
  keysOf,
  type Located,
  offsetsOf,
  quote,
  type Reading,
  readList,
  readMap,
  readMembers,
  readText,
  report,
  rootItem,
  scalarOf
} from './reader.ts'
export { type NamedFile, namedTwice } from './same-name.ts'
export { cancelTextIn, parseYaml, type SourceFile } from './yaml.ts'
