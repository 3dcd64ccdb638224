export { type Application, noApplication, type Service, serviceOf, type Variant } from './application.ts'
export type { Reports, SagasInForce, Served, ServingParts, Steps } from './serving.ts'
export {
  anyText,
  type ApplicationSetting,
  byteCount,
  duration,
  type Kind,
  oneOf,
  optional,
  secret,
  type Setting,
  wholeNumber,
  yesOrNo
} from './setting.ts'
