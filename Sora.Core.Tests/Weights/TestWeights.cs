using System.Buffers.Binary;
using System.Text;
using Sora.Weights;

namespace Sora.Tests.Weights;

/// <summary>Small safetensors files, right and wrong.</summary>
internal static class TestWeights
{
    public static string Fixture(params string[] parts) => Path.Combine([AppContext.BaseDirectory, "Fixtures", .. parts]);

    /// <summary>A tensor whose bytes count up from the length of its name, so that two tensors differ.</summary>
    public static SafetensorsContent Tensor(string name, SafetensorsType type, params long[] shape)
    {
        long length = shape.Aggregate((long)type.Size(), (product, size) => product * size);
        return new SafetensorsContent(name, type, shape, Data(name, length));
    }

    public static byte[] Data(string name, long length) =>
        [.. Enumerable.Range(0, (int)length).Select(i => (byte)(name.Length + i))];

    /// <summary>The bytes of a file with any header, followed by this many bytes of data.</summary>
    public static byte[] File(string header, int dataLength)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[sizeof(ulong) + json.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)json.Length);
        json.CopyTo(file, sizeof(ulong));
        return file;
    }
}
