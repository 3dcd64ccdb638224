export { orchestratorComponent, type ParticipantFacts } from './component.ts'
export {
  definitionProtocol,
  type DefinitionPublished,
  definitionsTopic,
  type ParticipantPublished
} from './definition-events.ts'
export { Definitions } from './definitions.ts'
export { type InboxWait, type InboxWaitDeps, inboxWaitOf } from './inbox-wait.ts'
export { type Judging, type SagaText, waitsForInstances } from './judging.ts'
export { PassedOver, type PassedOverCount } from './passed-over.ts'
export { openPublisher, type Publisher } from './publish.ts'
export { type Revision } from './revisions.ts'
export { handOverProtocol, orchestratorInbox } from './hand-over.ts'
export { sagaJournal, sagaProtocol } from './saga-events.ts'
export { tellingUnheard, Unheard, type UnheardAnswer } from './unheard.ts'
