// Adds two tensors of one number in a loop and prints the microseconds of a call: what libtorch itself takes.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
    long calls = argc > 1 ? std::atol(argv[1]) : 200000;
    c10::AutoGradMode no_gradients(false);
    at::Tensor one = at::ones({1}), two = at::ones({1});
    auto loop = [&] {
        for (long i = 0; i < calls; i++) at::Tensor sum = at::add(one, two);
    };
    loop();
    auto start = std::chrono::steady_clock::now();
    loop();
    std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - start;
    std::printf("%.6f\n", elapsed.count() / static_cast<double>(calls));
}
