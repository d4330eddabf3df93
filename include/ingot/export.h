/* Marks what the shared library offers; everything else stays hidden. */
#pragma once

#if defined(_WIN32)
#if defined(INGOT_BUILDING)
#define INGOT_API __declspec(dllexport)
#else
#define INGOT_API __declspec(dllimport)
#endif
#else
#define INGOT_API __attribute__((visibility("default")))
#endif
