using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp.Utils;

/// <summary>The elements of a contiguous tensor on the host.</summary>
public readonly unsafe struct TensorAccessor<T> where T : unmanaged
{
    private readonly torch.Tensor _tensor;

    internal TensorAccessor(torch.Tensor tensor)
    {
        if (Unsafe.SizeOf<T>() != tensor.ElementSize)
            throw new ArgumentException($"A tensor of {tensor.dtype} cannot be read as {typeof(T).Name}.");
        _tensor = tensor.is_contiguous() ? tensor : tensor.contiguous();
        _tensor.RequireHost();
    }

    /// <summary>The number of elements.</summary>
    public long Count => _tensor.NumberOfElements;

    /// <summary>One element, counted in row-major order.</summary>
    public T this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)index, (ulong)Count);
            T value = ((T*)Native.sora_tensor_data(_tensor.Handle))[index];
            GC.KeepAlive(_tensor);
            return value;
        }
    }

    /// <summary>A copy of all elements in row-major order.</summary>
    public T[] ToArray()
    {
        var array = new T[Count];
        MemoryMarshal.Cast<byte, T>(_tensor.bytes).CopyTo(array);
        GC.KeepAlive(_tensor);
        return array;
    }
}
