using System.Buffers.Binary;
using System.Text;

namespace Sora.Weights;

/// <summary>
/// Reads the <c>data.pkl</c> of a torch checkpoint. A pickle is a program, which may call any function of Python; this reads
/// the instructions and the five functions that state dicts consist of, calls nothing, and refuses everything else by name.
/// </summary>
/// <remarks>The instructions: CPython, Lib/pickletools.py; the layout: torch/serialization.py, _save.</remarks>
internal ref struct PickledCheckpointReader
{
    private const string OrderedDict = "collections.OrderedDict";
    private const string RebuildTensor = "torch._utils._rebuild_tensor_v2";
    private const string RebuildParameter = "torch._utils._rebuild_parameter";

    private static readonly Dictionary<string, SafetensorsType> StorageTypes = new()
    {
        ["torch.DoubleStorage"] = SafetensorsType.F64,
        ["torch.FloatStorage"] = SafetensorsType.F32,
        ["torch.HalfStorage"] = SafetensorsType.F16,
        ["torch.BFloat16Storage"] = SafetensorsType.BF16,
        ["torch.LongStorage"] = SafetensorsType.I64,
        ["torch.IntStorage"] = SafetensorsType.I32,
        ["torch.ShortStorage"] = SafetensorsType.I16,
        ["torch.CharStorage"] = SafetensorsType.I8,
        ["torch.ByteStorage"] = SafetensorsType.U8,
        ["torch.BoolStorage"] = SafetensorsType.Bool,
    };

    private static readonly object Mark = new();

    private readonly string _path;
    private readonly ReadOnlySpan<byte> _pickle;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _at;

    private PickledCheckpointReader(string path, ReadOnlySpan<byte> pickle)
    {
        _path = path;
        _pickle = pickle;
    }

    /// <summary>The value that the pickle makes.</summary>
    /// <exception cref="SoraException">The pickle is damaged, or asks for more than a state dict needs.</exception>
    public static object? Read(string path, ReadOnlySpan<byte> pickle) => new PickledCheckpointReader(path, pickle).Run();

    private object? Run()
    {
        while (true)
        {
            byte code = Next(1)[0];
            switch ((char)code)
            {
                case '\x80': // PROTO
                    if (Next(1)[0] is var version && version is < 2 or > 5)
                        throw new SoraException($"{_path}: the pickle has protocol {version}; allowed: 2 to 5.");
                    break;
                case '\x95': Next(8); break; // FRAME: a hint for streams.
                case '.': return Pop();
                case '(': _stack.Add(Mark); break;
                case '}': _stack.Add(new PickledDictionary()); break;
                case ']': _stack.Add(new List<object?>()); break;
                case ')': _stack.Add(Array.Empty<object?>()); break;
                case 'N': _stack.Add(null); break;
                case '\x88': _stack.Add(true); break;
                case '\x89': _stack.Add(false); break;
                case 'J': _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Next(4))); break;
                case 'K': _stack.Add((long)Next(1)[0]); break;
                case 'M': _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Next(2))); break;
                case '\x8a': _stack.Add(Long(Next(Next(1)[0]))); break;
                case 'G': _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Next(8))); break;
                case 'X': _stack.Add(Text(Length(BinaryPrimitives.ReadUInt32LittleEndian(Next(4))))); break;
                case '\x8c': _stack.Add(Text(Next(1)[0])); break;
                case 't': _stack.Add(PopToMark().ToArray()); break;
                case '\x85': PushTuple(1); break;
                case '\x86': PushTuple(2); break;
                case '\x87': PushTuple(3); break;
                case 'a': Append([Pop()]); break;
                case 'e': Append(PopToMark()); break;
                case 's': SetItems([Pop(), Pop()], reversed: true); break;
                case 'u': SetItems(PopToMark(), reversed: false); break;
                case 'q': _memo[Next(1)[0]] = Peek(); break;
                case 'r': _memo[BinaryPrimitives.ReadUInt32LittleEndian(Next(4))] = Peek(); break;
                case '\x94': _memo[(uint)_memo.Count] = Peek(); break;
                case 'h': _stack.Add(Recall(Next(1)[0])); break;
                case 'j': _stack.Add(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Next(4)))); break;
                case 'c': _stack.Add(Global(Line(), Line())); break;
                case '\x93': StackGlobal(); break;
                case 'Q': _stack.Add(Storage(Pop())); break;
                case 'R': Reduce(); break;
                case 'b': Build(); break;
                default: throw Refused($"instruction 0x{code:X2} at byte {_at - 1}");
            }
        }
    }

    private readonly PickledGlobal Global(string module, string name)
    {
        // Files of Python 2 write its module's name; FloatStorage and its like are classes of torch in every version.
        string full = $"{module}.{name}";
        return full is OrderedDict or RebuildTensor or RebuildParameter || StorageTypes.ContainsKey(full)
            ? new PickledGlobal(full)
            : throw Refused(full);
    }

    private readonly void StackGlobal()
    {
        if (Pop() is not string name || Pop() is not string module)
            throw Damaged("a class has no name");
        _stack.Add(Global(module, name));
    }

    /// <summary>('storage', class, key, device, count).</summary>
    private readonly PickledStorage Storage(object? reference) =>
        reference is object?[] { Length: 5 } parts && parts is ["storage", PickledGlobal type, string key, string, long count]
            && count >= 0 && StorageTypes.TryGetValue(type.Name, out SafetensorsType element)
                ? new PickledStorage(element, key, count)
                : throw Damaged("a reference to data is not one of torch's");

    private readonly void Reduce()
    {
        object? arguments = Pop();
        if (Pop() is not PickledGlobal function || arguments is not object?[] given)
            throw Damaged("a call has no function");
        _stack.Add(function.Name switch
        {
            OrderedDict when given.Length == 0 => new PickledDictionary(),
            RebuildTensor => Tensor(given),
            RebuildParameter when given is [PickledTensor tensor, ..] => tensor,
            _ => throw Damaged($"{function.Name} is called with {given.Length} arguments that it does not take"),
        });
    }

    /// <summary>(storage, first element, sizes, strides, requires_grad, hooks).</summary>
    private readonly PickledTensor Tensor(object?[] given)
    {
        if (given is not [PickledStorage storage, long offset, object?[] sizes, object?[] strides, ..]
            || sizes.Length != strides.Length || sizes.Length > 64)
            throw Damaged("a tensor is not described as torch does it");
        return new PickledTensor(storage, offset, Numbers(sizes), Numbers(strides));
    }

    private readonly long[] Numbers(object?[] values)
    {
        long[] numbers = new long[values.Length];
        for (int i = 0; i < values.Length; i++)
            numbers[i] = values[i] is long number and >= 0 ? number : throw Damaged("a tensor's size is not a number");
        return numbers;
    }

    /// <summary>The attributes of an OrderedDict: its <c>_metadata</c>, versions of modules.</summary>
    private readonly void Build()
    {
        Pop();
        if (Peek() is not PickledDictionary)
            throw Refused("attributes of something that is not a dictionary");
    }

    private readonly void Append(List<object?> values)
    {
        if (Peek() is not List<object?> list)
            throw Damaged("values are appended to something that is not a list");
        list.AddRange(values);
    }

    private readonly void SetItems(List<object?> values, bool reversed)
    {
        if (Peek() is not PickledDictionary dictionary || values.Count % 2 != 0)
            throw Damaged("values are set in something that is not a dictionary");
        for (int i = 0; i < values.Count; i += 2)
            dictionary.Items.Add(reversed ? (values[i + 1], values[i]) : (values[i], values[i + 1]));
    }

    private readonly void PushTuple(int count)
    {
        object?[] values = new object?[count];
        for (int i = count - 1; i >= 0; i--)
            values[i] = Pop();
        _stack.Add(values);
    }

    private readonly List<object?> PopToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Damaged("a mark is missing");
        List<object?> values = _stack[(mark + 1)..];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private readonly object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private readonly object? Peek() =>
        _stack.Count > 0 && !ReferenceEquals(_stack[^1], Mark) ? _stack[^1] : throw Damaged("a value is missing");

    private readonly object? Recall(uint number) =>
        _memo.TryGetValue(number, out object? value) ? value : throw Damaged($"value {number} is used before it is made");

    private readonly long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > sizeof(long))
            throw Damaged("a number has more than 64 bits");
        long value = 0;
        for (int i = bytes.Length - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        int unused = 64 - (8 * bytes.Length);
        return bytes.IsEmpty ? 0 : value << unused >> unused;
    }

    private string Text(int length) => Encoding.UTF8.GetString(Next(length));

    private string Line()
    {
        int length = _pickle[_at..].IndexOf((byte)'\n');
        if (length < 0)
            throw Damaged("it ends inside a name");
        string line = Text(length);
        _at++;
        return line;
    }

    private readonly int Length(uint length) =>
        length <= (uint)(_pickle.Length - _at) ? (int)length : throw Damaged("it ends inside a text");

    private ReadOnlySpan<byte> Next(int count)
    {
        if (count > _pickle.Length - _at)
            throw Damaged("it ends before its end mark");
        ReadOnlySpan<byte> bytes = _pickle.Slice(_at, count);
        _at += count;
        return bytes;
    }

    private readonly SoraException Damaged(string how) => new($"{_path}: the pickle is damaged: {how}.");

    private readonly SoraException Refused(string what) =>
        new($"{_path}: the pickle asks for {what.ReplaceLineEndings(" ")}; only tensors in dictionaries are read, code is never run.");
}
