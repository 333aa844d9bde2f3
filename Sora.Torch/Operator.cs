using System.Runtime.CompilerServices;
using System.Text;

namespace TorchSharp;

/// <summary>
/// An operator of libtorch, found by its schema's name (<c>aten::add</c>, overload <c>Tensor</c>) in libtorch's
/// dispatcher on first use. Arguments that are left out at the end take the schema's defaults.
/// </summary>
internal sealed unsafe class Operator(string name, string overload = "")
{
    private const int MaximumResults = 4096;
    private nint _handle;

    /// <summary>Calls an operator that returns one tensor.</summary>
    public torch.Tensor Call(params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result;
        if (Invoke(arguments, &result, 1) != 1 || result.Tag != Argument.TensorTag)
            throw new InvalidOperationException($"{name} did not return one tensor.");
        return new torch.Tensor((nint)result.A);
    }

    /// <summary>Calls an operator that changes its first argument in place and returns it.</summary>
    public void CallInPlace(params ReadOnlySpan<Argument> arguments)
    {
        NativeValue result;
        int count = Invoke(arguments, &result, 1);
        if (count == 1 && result.Tag == Argument.TensorTag)
            Native.sora_tensor_release((nint)result.A);
    }

    /// <summary>Calls an operator that returns several tensors, or a list of them.</summary>
    public torch.Tensor[] CallMany(params ReadOnlySpan<Argument> arguments)
    {
        var results = new NativeValue[MaximumResults];
        int count;
        fixed (NativeValue* p = results)
            count = Invoke(arguments, p, MaximumResults);
        var tensors = new torch.Tensor[count];
        for (int i = 0; i < count; i++)
            tensors[i] = new torch.Tensor((nint)results[i].A);
        return tensors;
    }

    [SkipLocalsInit]
    private int Invoke(ReadOnlySpan<Argument> arguments, NativeValue* results, int capacity)
    {
        if (_handle == 0)
            Resolve();

        int extra = 0;
        foreach (ref readonly Argument argument in arguments)
            extra += argument.Words;
        NativeValue* values = stackalloc NativeValue[arguments.Length];
        long* words = stackalloc long[extra];
        long* free = words;
        for (int i = 0; i < arguments.Length; i++)
            free = arguments[i].Write(values + i, free);

        int count = Native.sora_call(_handle, values, arguments.Length, results, capacity);
        foreach (ref readonly Argument argument in arguments)
            GC.KeepAlive(argument.Object);
        return count >= 0 ? count : throw Native.LastError();
    }

    private void Resolve()
    {
        nint handle = Native.sora_operator(name, overload);
        if (handle == 0)
            throw Native.LastError();
        _handle = handle;
    }
}

/// <summary>One argument of an <see cref="Operator"/>: a value without allocation, or a reference that is kept alive.</summary>
internal readonly struct Argument
{
    internal const long TensorTag = 1;
    private readonly long _tag;
    private readonly long _bits;

    private Argument(long tag, long bits, object? reference)
    {
        _tag = tag;
        _bits = bits;
        Object = reference;
    }

    /// <summary>The tensor, array or string behind the argument.</summary>
    internal object? Object { get; }

    /// <summary>How many 64-bit words the argument needs beside its own value.</summary>
    internal int Words => Object switch
    {
        long[] list => list.Length,
        torch.Tensor[] list => list.Length,
        string text => (Encoding.UTF8.GetByteCount(text) + 7) / 8,
        _ => 0,
    };

    internal static Argument None => default;

    public static implicit operator Argument(torch.Tensor? tensor) =>
        tensor is null ? default : new Argument(TensorTag, 0, tensor);

    public static implicit operator Argument(long value) => new(2, value, null);

    public static implicit operator Argument(long? value) => value is null ? default : new(2, value.Value, null);

    public static implicit operator Argument(double value) => new(3, BitConverter.DoubleToInt64Bits(value), null);

    public static implicit operator Argument(bool value) => new(4, value ? 1 : 0, null);

    public static implicit operator Argument(long[]? list) => list is null ? default : new(5, 0, list);

    public static implicit operator Argument(torch.Tensor[] list) => new(6, 0, list);

    public static implicit operator Argument(string text) => new(9, 0, text);

    public static implicit operator Argument(Scalar scalar) =>
        scalar.IsFloating ? (Argument)scalar.Double : scalar.IsBool ? scalar.Integer != 0 : scalar.Integer;

    public static implicit operator Argument(torch.ScalarType? type) => type is null ? default : new(2, (long)type, null);

    public static implicit operator Argument(torch.ScalarType type) => new(2, (long)type, null);

    public static implicit operator Argument(torch.Device? device) =>
        device is null ? default : new(10, (long)device.type | ((long)device.index << 32), null);

    /// <summary>Writes the argument for the native side; returns the first free word after it.</summary>
    internal unsafe long* Write(NativeValue* value, long* free)
    {
        value->Tag = _tag;
        value->A = _bits;
        value->B = 0;
        switch (Object)
        {
            case null:
                if (_tag == 10)
                {
                    value->A = _bits & 0xffffffff;
                    value->B = _bits >> 32;
                }
                return free;
            case torch.Tensor tensor:
                value->A = tensor.Handle;
                return free;
            case long[] list:
                list.CopyTo(new Span<long>(free, list.Length));
                value->A = (long)free;
                value->B = list.Length;
                return free + list.Length;
            case torch.Tensor[] list:
                for (int i = 0; i < list.Length; i++)
                    free[i] = list[i].Handle;
                value->A = (long)free;
                value->B = list.Length;
                return free + list.Length;
            case string text:
                int bytes = Encoding.UTF8.GetBytes(text, new Span<byte>(free, Words * 8));
                value->A = (long)free;
                value->B = bytes;
                return free + Words;
            default:
                throw new InvalidOperationException($"An argument of type {Object.GetType()} is not known.");
        }
    }
}
