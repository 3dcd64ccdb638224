export { charge, type CostBudget, fail, newBudget, onBudget, scanCost, searchCost } from './cost.ts'
export type * from './definition.ts'
export {
  type Limit,
  limitText,
  nameCharsMax,
  namePatterns,
  reservedStepName,
  retryRanges,
  sagaLimits
} from './limits.ts'
export { keyMoved, keysOfSaga, type KeysOfSaga, keysText, standsUnderKey } from './one-key.ts'
export { policyDefaults } from './policy-defaults.ts'
