/* What the generated table of the node's parameters is made of. */
#ifndef VR180_NODE_H
#define VR180_NODE_H

typedef enum { K_BOOL, K_INT, K_FLOAT, K_CHOICE, K_TEXT, K_FILE, K_FOLDER, K_MESSAGE } Kind;

typedef struct {
    const char *name, *label;
} Group;

typedef struct {
    const char *name, *label;
    Kind kind;
    const char *group, *help;
    /* the key of the configuration, "section.key"; empty for what is the node's own affair */
    const char *setting;
    /* the default: a number, the position of a choice, or a text */
    double number;
    const char *text;
    double minimum, maximum;
    const char *const *choices; /* ends with 0 */
    int animatable;
} Parameter;

typedef struct {
    const char *name, *label, *group, *help;
} Action;

#endif
