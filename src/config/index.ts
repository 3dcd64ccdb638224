export { applicationOf, everyApplication } from './applications.ts'
export { configInvalid, readConfig, settingsInUse } from './config.ts'
export { componentsOf, rolesIn } from './roles.ts'
export { type Config, settings } from './settings.ts'
