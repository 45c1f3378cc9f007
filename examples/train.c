/* Train a personalizable .tflite file with LiteRT's C API only; see README.md. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *Handle; /* LiteRtEnvironment, LiteRtModel, LiteRtTensorBuffer, ... */
typedef struct {      /* LiteRtRankedTensorType */
  int element_type;
  unsigned rank : 7, has_strides : 1;
  int32_t dimensions[8];
  uint32_t strides[8];
} TensorType;
enum { HOST_MEMORY = 1, READ = 0, WRITE = 1, CPU = 1, MOST = 16 };

int LiteRtCreateEnvironment(int count, const void *options, Handle *environment);
int LiteRtCreateModelFromFile(Handle environment, const char *path, Handle *model);
int LiteRtCreateOptions(Handle *options);
int LiteRtSetOptionsHardwareAccelerators(Handle options, int accelerators);
int LiteRtCreateCompiledModel(Handle environment, Handle model, Handle options, Handle *compiled);
int LiteRtGetNumModelSignatures(Handle model, size_t *count);
int LiteRtGetModelSignature(Handle model, size_t index, Handle *signature);
int LiteRtGetSignatureKey(Handle signature, const char **key);
int LiteRtGetNumSignatureInputs(Handle signature, size_t *count);
int LiteRtGetNumSignatureOutputs(Handle signature, size_t *count);
int LiteRtGetSignatureInputName(Handle signature, size_t index, const char **name);
int LiteRtGetSignatureOutputName(Handle signature, size_t index, const char **name);
int LiteRtGetSignatureInputTensorByIndex(Handle signature, size_t index, Handle *tensor);
int LiteRtGetSignatureOutputTensorByIndex(Handle signature, size_t index, Handle *tensor);
int LiteRtGetRankedTensorType(Handle tensor, TensorType *type);
int LiteRtCreateManagedTensorBuffer(Handle environment, int kind, const TensorType *type,
                                    size_t bytes, Handle *buffer);
int LiteRtLockTensorBuffer(Handle buffer, void **address, int mode);
int LiteRtUnlockTensorBuffer(Handle buffer);
int LiteRtRunCompiledModel(Handle compiled, size_t signature, size_t inputs, Handle *input_buffers,
                           size_t outputs, Handle *output_buffers);

#define CHECK(call) \
  if ((call) != 0) { fprintf(stderr, "failed: %s\n", #call); exit(1); }

typedef struct { const char *name; TensorType type; size_t size; Handle buffer; } End;
typedef struct { size_t index, inputs, outputs; End in[MOST], out[MOST]; } Signature;
static Handle environment, model, compiled;

static void make_end(End *end, Handle tensor) { /* all tensors of these signatures are float32 */
  CHECK(LiteRtGetRankedTensorType(tensor, &end->type));
  end->size = 1;
  for (unsigned i = 0; i < end->type.rank; i++) end->size *= end->type.dimensions[i];
  CHECK(LiteRtCreateManagedTensorBuffer(environment, HOST_MEMORY, &end->type,
                                        end->size * sizeof(float), &end->buffer));
}

static Signature find(const char *name) {
  Signature s = {0};
  Handle signature, tensor;
  const char *key = "";
  size_t count;
  CHECK(LiteRtGetNumModelSignatures(model, &count));
  for (;; s.index++) {
    if (s.index == count) { fprintf(stderr, "no signature %s\n", name); exit(1); }
    CHECK(LiteRtGetModelSignature(model, s.index, &signature));
    CHECK(LiteRtGetSignatureKey(signature, &key));
    if (strcmp(key, name) == 0) break;
  }
  CHECK(LiteRtGetNumSignatureInputs(signature, &s.inputs));
  CHECK(LiteRtGetNumSignatureOutputs(signature, &s.outputs));
  CHECK(s.inputs > MOST || s.outputs > MOST);
  for (size_t i = 0; i < s.inputs; i++) {
    CHECK(LiteRtGetSignatureInputName(signature, i, &s.in[i].name));
    CHECK(LiteRtGetSignatureInputTensorByIndex(signature, i, &tensor));
    make_end(&s.in[i], tensor);
  }
  for (size_t i = 0; i < s.outputs; i++) {
    CHECK(LiteRtGetSignatureOutputName(signature, i, &s.out[i].name));
    CHECK(LiteRtGetSignatureOutputTensorByIndex(signature, i, &tensor));
    make_end(&s.out[i], tensor);
  }
  return s;
}

/* Return element i of an input. The samples are synthetic; replace them with your own. */
static float value(const End *end, size_t i, int index, int classes) {
  size_t width = end->size / end->type.dimensions[0], row = i / width, column = i % width;
  size_t class = row % classes;
  if (strncmp(end->name, "features", 8) == 0)
    return (float)((class * 7 + column * (class + 3) + row) % 13) / 16 - 0.375f;
  if (strcmp(end->name, "labels") == 0) return column == class;
  if (strcmp(end->name, "sample_weights") == 0) return index < 0 || class == (size_t)index;
  if (strcmp(end->name, "class_one_hot") == 0) return i == (size_t)index;
  return strcmp(end->name, "learning_rate") == 0 ? 0.0625f : 1; /* 1: active */
}

static void run(const Signature *s, int index, int classes) {
  Handle inputs[MOST], outputs[MOST];
  void *memory;
  for (size_t i = 0; i < s->inputs; i++) {
    CHECK(LiteRtLockTensorBuffer(inputs[i] = s->in[i].buffer, &memory, WRITE));
    for (size_t j = 0; j < s->in[i].size; j++)
      ((float *)memory)[j] = value(&s->in[i], j, index, classes);
    CHECK(LiteRtUnlockTensorBuffer(inputs[i]));
  }
  for (size_t i = 0; i < s->outputs; i++) outputs[i] = s->out[i].buffer;
  CHECK(LiteRtRunCompiledModel(compiled, s->index, s->inputs, inputs, s->outputs, outputs));
}

static End *named(End *ends, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(ends[i].name, name) == 0) return &ends[i];
  fprintf(stderr, "no %s: not a personalizable file\n", name);
  exit(1);
}

int main(int count, char **arguments) {
  Handle options;
  void *memory;
  if (count != 3) { fprintf(stderr, "usage: %s MODEL.tflite STEPS\n", arguments[0]); return 2; }
  CHECK(LiteRtCreateEnvironment(0, NULL, &environment));
  CHECK(LiteRtCreateModelFromFile(environment, arguments[1], &model));
  CHECK(LiteRtCreateOptions(&options));
  CHECK(LiteRtSetOptionsHardwareAccelerators(options, CPU));
  CHECK(LiteRtCreateCompiledModel(environment, model, options, &compiled));
  Signature set_class = find("set_class"), train = find("train");
  End *loss = named(train.out, train.outputs, "loss");
  const int capacity = (int)named(set_class.in, set_class.inputs, "class_one_hot")->size;
  const int classes = capacity < 3 ? capacity : 3;
  for (int index = 0; index < classes; index++) run(&set_class, index, classes);
  for (int step = 0; step < atoi(arguments[2]); step++) {
    run(&train, -1, classes);
    CHECK(LiteRtLockTensorBuffer(loss->buffer, &memory, READ));
    printf("step %d: loss %.7f\n", step, *(float *)memory);
    CHECK(LiteRtUnlockTensorBuffer(loss->buffer));
  }
  return 0;
}
