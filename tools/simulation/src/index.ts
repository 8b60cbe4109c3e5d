export { Random } from './random.js';
export { runSchedules, type RunsOptions, type RunsResult } from './runs.js';
export { runSchedule, type ScheduleResult } from './schedule.js';
