file(REMOVE_RECURSE
  "CMakeFiles/sora_torch.dir/attention.cpp.o"
  "CMakeFiles/sora_torch.dir/attention.cpp.o.d"
  "CMakeFiles/sora_torch.dir/dispatch.cpp.o"
  "CMakeFiles/sora_torch.dir/dispatch.cpp.o.d"
  "CMakeFiles/sora_torch.dir/fused.cpp.o"
  "CMakeFiles/sora_torch.dir/fused.cpp.o.d"
  "CMakeFiles/sora_torch.dir/tensor.cpp.o"
  "CMakeFiles/sora_torch.dir/tensor.cpp.o.d"
  "libsora_torch.pdb"
  "libsora_torch.so"
)

# Per-language clean rules from dependency scanning.
foreach(lang CXX)
  include(CMakeFiles/sora_torch.dir/cmake_clean_${lang}.cmake OPTIONAL)
endforeach()
