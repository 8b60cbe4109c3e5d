export { realCore, type Core } from './core.js';
export { runSchedule, type ScheduleResult } from './schedule.js';
export { scheduleSeed } from './random.js';
