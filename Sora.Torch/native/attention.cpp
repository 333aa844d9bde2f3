#include "sora_torch.h"
