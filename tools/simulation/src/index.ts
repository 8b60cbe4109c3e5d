export { runSchedules, type RunsOptions, type RunsResult } from './runs.js';
export { runSchedule, type ScheduleResult } from './schedule.js';
