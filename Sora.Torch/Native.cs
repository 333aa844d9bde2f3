using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>The functions of native/*.cpp.</summary>
internal static unsafe partial class Native
{
    private const string Library = "libsora_torch.so";

    [LibraryImport(Library)]
    private static partial byte* sora_last_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint sora_operator(string name, string overload);

    [LibraryImport(Library)]
    internal static partial int sora_call(nint op, NativeValue* args, int count, NativeValue* results, int capacity);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial int sora_tensor_dim(nint handle);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial void sora_tensor_sizes(nint handle, long* sizes);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial void sora_tensor_strides(nint handle, long* strides);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial long sora_tensor_numel(nint handle);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial int sora_tensor_dtype(nint handle);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial int sora_tensor_device_type(nint handle);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial int sora_tensor_device_index(nint handle);

    [LibraryImport(Library)]
    [SuppressGCTransition]
    internal static partial int sora_tensor_is_contiguous(nint handle);

    [LibraryImport(Library)]
    internal static partial void sora_tensor_release(nint handle);

    [LibraryImport(Library)]
    internal static partial void* sora_tensor_data(nint handle);

    [LibraryImport(Library)]
    internal static partial int sora_tensor_requires_grad(nint handle);

    [LibraryImport(Library)]
    internal static partial int sora_tensor_set_requires_grad(nint handle, int value);

    [LibraryImport(Library)]
    internal static partial nint sora_tensor_grad(nint handle);

    [LibraryImport(Library)]
    internal static partial int sora_tensor_set_grad(nint handle, nint grad);

    [LibraryImport(Library)]
    internal static partial int sora_backward(nint handle, nint gradient);

    [LibraryImport(Library)]
    internal static partial nint sora_managed_function(
        nint output, long* inputs, int count, nint state,
        delegate* unmanaged<nint, nint, nint*, int, int> backward, delegate* unmanaged<nint, void> release);

    [LibraryImport(Library)]
    internal static partial nint sora_from_blob(void* data, long* sizes, int dim, int dtype);

    [LibraryImport(Library)]
    internal static partial int sora_grad_enabled();

    [LibraryImport(Library)]
    internal static partial void sora_set_grad_enabled(int enabled);

    [LibraryImport(Library)]
    internal static partial void sora_release_unused_memory();

    [LibraryImport(Library)]
    internal static partial void sora_set_num_threads(int count);

    [LibraryImport(Library)]
    internal static partial int sora_get_num_threads();

    [LibraryImport(Library)]
    internal static partial nint sora_channel_norm(nint x, nint gamma, int silu);

    [LibraryImport(Library)]
    internal static partial nint sora_gelu(nint x);

    [LibraryImport(Library)]
    internal static partial nint sora_time_windows(nint x, long length, long stride);

    [LibraryImport(Library)]
    internal static partial nint sora_norm_modulate(nint x, nint scale, nint shift, nint rows, double eps, int dtype);

    [LibraryImport(Library)]
    internal static partial nint sora_add_gated(nint x, nint y, nint gate, nint rows);

    [LibraryImport(Library)]
    internal static partial int sora_adamw(nint parameter, nint gradient, nint mean, nint square, double beta1, double beta2, double epsilon, double kept, double length, double correction2);

    [LibraryImport(Library)]
    internal static partial int sora_linear_available(nint x, nint weight);

    [LibraryImport(Library)]
    internal static partial nint sora_linear_gelu(nint x, nint weight, nint bias);

    [LibraryImport(Library)]
    internal static partial nint sora_linear_add(nint stream, nint x, nint weight, nint bias, nint gate, nint rows);

    [LibraryImport(Library)]
    internal static partial nint sora_rms_rotary(nint x, nint weight, nint cosine, nint sine, long head, double eps);

    [LibraryImport(Library)]
    internal static partial int sora_attention_available();

    [LibraryImport(Library)]
    internal static partial nint sora_attention(nint q, nint k, nint v);

    [LibraryImport(Library)]
    internal static partial int sora_own_products(int use);

    [LibraryImport(Library)]
    internal static partial int sora_float_attention_available();

    [LibraryImport(Library)]
    internal static partial nint sora_float_attention(nint q, nint k, nint v);

    [LibraryImport(Library)]
    internal static partial int sora_library_has_bfloat16();

    [LibraryImport(Library)]
    internal static partial nint sora_convolve(nint x, nint weight, nint bias, long stride);

    [LibraryImport(Library)]
    internal static partial int sora_int8_available();

    [LibraryImport(Library)]
    internal static unsafe partial int sora_int8_weight(nint weight, nint* values, nint* steps, nint* sums);

    [LibraryImport(Library)]
    internal static partial nint sora_int8_linear(nint x, nint values, nint steps, nint sums, nint bias);

    [LibraryImport(Library)]
    internal static partial nint sora_relative_attention(nint q, nint k, nint v, nint bias, nint lengths);

    /// <summary>The exception for the native call that has just failed on this thread, with libtorch's message.</summary>
    internal static TorchException LastError() =>
        new(Marshal.PtrToStringUTF8((nint)sora_last_error()) ?? "libtorch failed without a message");

    internal static void Check(int result)
    {
        if (result < 0)
            throw LastError();
    }
}

/// <summary>An error of libtorch, with its message. TorchSharp throws the base class.</summary>
public sealed class TorchException : ExternalException
{
    /// <summary>Creates the exception with libtorch's message.</summary>
    public TorchException(string message) : base(message)
    {
    }

    /// <summary>Creates the exception with a message and its cause.</summary>
    public TorchException(string message, Exception innerException) : base(message, innerException)
    {
    }

    /// <summary>Creates the exception without a message.</summary>
    public TorchException()
    {
    }
}

/// <summary>An argument or a result of an operator as the native side reads it; see native/sora_torch.h.</summary>
internal struct NativeValue
{
    public long Tag;
    public long A;
    public long B;
}
