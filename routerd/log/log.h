/* log.h - one line an event, with its object as fields, for journald or a terminal.
 *
 * Lines go to stderr as `<6>ovs: port created tenant=bio network=genome
 * object=genome/segment/campus` (the number is the syslog level, sd-daemon(3); left out on a
 * terminal). Whoever handles an error logs it, once. No secret is ever passed here. Thread-safe.
 * With the model this is the only room that every other may use. */
#ifndef LOG_LOG_H
#define LOG_LOG_H

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Lines above this level are dropped; INFO at start. */
void log_set_level(enum log_level level);
/* `area` is the room's name. `tenant` and `object` may be null. */
void log_object(enum log_level level, const char *area, const char *tenant, const char *object,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
#define log_line(level, area, ...) log_object(level, area, 0, 0, __VA_ARGS__)

#endif
