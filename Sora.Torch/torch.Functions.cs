using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Tensors joined along an existing axis.</summary>
    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => Op.Cat.Call(tensors.ToArray(), dim);

    /// <summary>Tensors joined along a new axis.</summary>
    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => Op.Stack.Call(tensors.ToArray(), dim);

    /// <summary>Elements of <paramref name="x"/> where the condition holds, else of <paramref name="y"/>.</summary>
    public static Tensor where(Tensor condition, Tensor x, Tensor y) => Op.Where.Call(condition, x, y);

    /// <summary>The matrix product.</summary>
    public static Tensor matmul(Tensor input, Tensor target) => input.matmul(target);

    /// <summary>Linear algebra.</summary>
    public static class linalg
    {
        /// <summary>The eigenvalues, ascending, and the eigenvectors, columns, of a symmetric matrix.</summary>
        public static (Tensor, Tensor) eigh(Tensor input)
        {
            Tensor[] results = Op.LinalgEigh.CallMany(input);
            return (results[0], results[1]);
        }
    }

    /// <summary>The greater of two elements.</summary>
    public static Tensor maximum(Tensor input, Tensor other) => Op.Maximum.Call(input, other);

    /// <summary>The smaller of two elements.</summary>
    public static Tensor minimum(Tensor input, Tensor other) => Op.Minimum.Call(input, other);

    /// <summary>A tensor of zeros.</summary>
    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null) =>
        Op.Zeros.Call(size, dtype ?? float32, Argument.None, device);

    /// <summary>A tensor of zeros with another's shape, type and device.</summary>
    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null) => Op.ZerosLike.Call(input, dtype);

    /// <summary>A tensor of ones.</summary>
    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null) =>
        Op.Ones.Call(size, dtype ?? float32, Argument.None, device);

    /// <summary>A tensor whose elements are not set.</summary>
    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null) =>
        Op.Empty.Call(size, dtype ?? float32, Argument.None, device);

    /// <summary>A tensor whose elements are not set, with another's shape, type and device.</summary>
    public static Tensor empty_like(Tensor input, ScalarType? dtype = null) => Op.EmptyLike.Call(input, dtype);

    /// <summary>A tensor of one value.</summary>
    public static Tensor full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null) =>
        Op.Full.Call(size, value, dtype ?? float32, Argument.None, device);

    /// <summary>Numbers from 0 up to, without, <paramref name="stop"/>.</summary>
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null) =>
        arange(0, stop, dtype, device);

    /// <summary>Numbers from <paramref name="start"/> up to, without, <paramref name="stop"/>.</summary>
    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null) =>
        Op.Arange.Call(start, stop, 1L, dtype ?? (start.IsFloating || stop.IsFloating ? float32 : int64), Argument.None, device);

    /// <summary>A tensor of given elements and shape.</summary>
    public static Tensor tensor(float[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null) =>
        FromArray(rawArray, dimensions, float32, dtype, device);

    /// <summary>A vector of given elements.</summary>
    public static Tensor tensor(float[] rawArray, ScalarType? dtype = null, Device? device = null) =>
        FromArray(rawArray, [rawArray.LongLength], float32, dtype, device);

    /// <summary>A tensor of given elements and shape.</summary>
    public static Tensor tensor(double[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null) =>
        FromArray(rawArray, dimensions, float64, dtype, device);

    /// <summary>A tensor of given elements and shape.</summary>
    public static Tensor tensor(long[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null) =>
        FromArray(rawArray, dimensions, int64, dtype, device);

    /// <summary>A vector of given elements.</summary>
    public static Tensor tensor(long[] rawArray, ScalarType? dtype = null, Device? device = null) =>
        FromArray(rawArray, [rawArray.LongLength], int64, dtype, device);

    /// <summary>A tensor of given elements and shape.</summary>
    public static Tensor tensor(byte[] rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null) =>
        FromArray(rawArray, dimensions, uint8, dtype, device);

    private static Tensor FromArray<T>(T[] data, ReadOnlySpan<long> dimensions, ScalarType type, ScalarType? target, Device? device)
        where T : unmanaged
    {
        Tensor tensor = empty(dimensions.ToArray(), type);
        tensor.bytes = MemoryMarshal.AsBytes(data.AsSpan());
        if (target is not null && target != type)
            tensor = Replace(tensor, tensor.to(target.Value));
        return device is null || device.type == DeviceType.CPU ? tensor : Replace(tensor, tensor.to(device));
    }

    private static Tensor Replace(Tensor old, Tensor fresh)
    {
        old.Dispose();
        return fresh;
    }
}
