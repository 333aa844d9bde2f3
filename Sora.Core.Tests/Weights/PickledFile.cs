using System.Buffers.Binary;
using System.Text;
using Sora.Weights;

namespace Sora.Tests.Weights;

/// <summary>A file as torch.save writes a dictionary of tensors.</summary>
internal static class PickledFile
{
    public static void Write(string path, IEnumerable<(string Name, SafetensorsType Type, long[] Shape, byte[] Data)> tensors)
    {
        using var pickle = new MemoryStream();
        var entries = new List<(string, byte[])>();
        pickle.Write([0x80, 2, (byte)'}', (byte)'(']);
        foreach ((string name, SafetensorsType type, long[] shape, byte[] data) in tensors)
        {
            string key = $"{entries.Count}";
            Text(pickle, name);
            Global(pickle, "torch._utils", "_rebuild_tensor_v2");
            pickle.WriteByte((byte)'(');
            pickle.WriteByte((byte)'(');
            Text(pickle, "storage");
            Global(pickle, "torch", type switch { SafetensorsType.F32 => "FloatStorage", SafetensorsType.BF16 => "BFloat16Storage", _ => "HalfStorage" });
            Text(pickle, key);
            Text(pickle, "cpu");
            Number(pickle, data.Length / type.Size());
            pickle.Write("tQ"u8);
            Number(pickle, 0);
            Tuple(pickle, shape);
            long[] strides = new long[shape.Length];
            for (int axis = shape.Length - 1, stride = 1; axis >= 0; stride *= (int)shape[axis], axis--)
                strides[axis] = stride;
            Tuple(pickle, strides);
            pickle.WriteByte(0x89);
            Global(pickle, "collections", "OrderedDict");
            pickle.Write(")RtR"u8);
            entries.Add(($"archive/data/{key}", data));
        }
        pickle.Write("u."u8);
        File.WriteAllBytes(path, StoredZip.Of([("archive/data.pkl", pickle.ToArray()), .. entries, ("archive/version", "3\n"u8.ToArray())]));
    }

    private static void Text(MemoryStream pickle, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        pickle.WriteByte((byte)'X');
        Write(pickle, bytes.Length);
        pickle.Write(bytes);
    }

    private static void Global(MemoryStream pickle, string module, string name) => pickle.Write(Encoding.UTF8.GetBytes($"c{module}\n{name}\n"));

    private static void Number(MemoryStream pickle, long number)
    {
        pickle.WriteByte((byte)'J');
        Write(pickle, (int)number);
    }

    private static void Tuple(MemoryStream pickle, long[] numbers)
    {
        pickle.WriteByte((byte)'(');
        foreach (long number in numbers)
            Number(pickle, number);
        pickle.WriteByte((byte)'t');
    }

    private static void Write(MemoryStream pickle, int number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        pickle.Write(bytes);
    }
}
