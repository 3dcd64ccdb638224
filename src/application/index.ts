export { type Application, noApplication, type Service, serviceOf } from './application.ts'
