namespace Sora.Weights;

/// <summary>What a restricted pickle can hold besides numbers, text, None, lists and tuples.</summary>
internal abstract record PickledValue;

/// <summary>A dictionary, in the order of the file; also <c>collections.OrderedDict</c>.</summary>
internal sealed record PickledDictionary : PickledValue
{
    public List<(object? Key, object? Value)> Items { get; } = [];
}

/// <summary>A class or function that a pickle names.</summary>
/// <param name="Name">Module and name, as in <c>torch._utils._rebuild_tensor_v2</c>.</param>
internal sealed record PickledGlobal(string Name) : PickledValue;

/// <summary>A block of numbers in an entry of its own.</summary>
/// <param name="Type">Their type.</param>
/// <param name="Key">The entry's name below <c>data/</c>.</param>
/// <param name="Count">How many there are.</param>
internal sealed record PickledStorage(SafetensorsType Type, string Key, long Count) : PickledValue;

/// <summary>A tensor in a block of numbers.</summary>
/// <param name="Storage">The block.</param>
/// <param name="Offset">Its first element.</param>
/// <param name="Shape">The sizes, slowest first.</param>
/// <param name="Strides">Elements from one index to the next of each axis.</param>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides) : PickledValue;
