
# Consider dependencies only in project.
set(CMAKE_DEPENDS_IN_PROJECT_ONLY OFF)

# The set of languages for which implicit dependencies are needed:
set(CMAKE_DEPENDS_LANGUAGES
  )

# The set of dependency files which are needed:
set(CMAKE_DEPENDS_DEPENDENCY_FILES
  "/work/main/Sora.Torch/native/attention.cpp" "CMakeFiles/sora_torch.dir/attention.cpp.o" "gcc" "CMakeFiles/sora_torch.dir/attention.cpp.o.d"
  "/work/main/Sora.Torch/native/dispatch.cpp" "CMakeFiles/sora_torch.dir/dispatch.cpp.o" "gcc" "CMakeFiles/sora_torch.dir/dispatch.cpp.o.d"
  "/work/main/Sora.Torch/native/fused.cpp" "CMakeFiles/sora_torch.dir/fused.cpp.o" "gcc" "CMakeFiles/sora_torch.dir/fused.cpp.o.d"
  "/work/main/Sora.Torch/native/tensor.cpp" "CMakeFiles/sora_torch.dir/tensor.cpp.o" "gcc" "CMakeFiles/sora_torch.dir/tensor.cpp.o.d"
  )

# Targets to which this target links.
set(CMAKE_TARGET_LINKED_INFO_FILES
  )

# Fortran module output directory.
set(CMAKE_Fortran_TARGET_MODULE_DIR "")
