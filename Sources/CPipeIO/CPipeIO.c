#include "CPipeIO.h"
