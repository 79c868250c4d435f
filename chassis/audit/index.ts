/** The audit trail: who asked for what, from where, when and why, and what came of it. */
export { entriesOf } from './event.ts';
export type { AuditEntry, AuditEvent, AuditOutcome, AuditStep, AuditVia } from './event.ts';
export { operatorHeaders, operatorIn, operatorOf } from './operator.ts';
export type { Operator } from './operator.ts';
export { auditFile, AuditTrail, openAuditTrail } from './trail.ts';
export type { AuditRecord } from './trail.ts';
