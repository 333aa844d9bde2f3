using System.Runtime.InteropServices;
using Sora.Weights;
using Xunit;

namespace Sora.Tests.Weights;

/// <summary>What the reference cases do not hold: tensors large enough for several threads, and scales that are no numbers.</summary>
public sealed unsafe class GgufTensorTests
{
    [Fact]
    public void EveryHalfPrecisionNumberIsReadExactly()
    {
        for (uint bits = 0; bits <= ushort.MaxValue; bits++)
        {
            ushort half = (ushort)bits;
            float expected = (float)BitConverter.UInt16BitsToHalf(half), found = GgufBits.Half((byte*)&half);
            Assert.Equal(
                BitConverter.SingleToUInt32Bits(float.IsNaN(expected) ? float.NaN : expected),
                BitConverter.SingleToUInt32Bits(found));
        }
    }

    private static readonly GgufType[] Quantised = [.. Enum.GetValues<GgufType>().Where(type => type.Engine() is null)];

    [Fact]
    public void ThreadsShareALargeTensorAsOneWouldReadIt()
    {
        const int rows = 700, columns = 512;
        foreach (GgufType type in Quantised)
        {
            using DisposeScope scope = NewDisposeScope();
            int blocks = rows * columns / type.BlockElements();
            byte[] source = new byte[blocks * type.BlockBytes()];
            new Random((int)type).NextBytes(source);
            byte[] once = new byte[rows * columns * sizeof(float)];
            fixed (byte* from = source, to = once)
            {
                GgufTensor.Convert<SingleOutput>(type, from, to, blocks);
                Tensor all = GgufTensor.Dequantize((nint)from, [rows, columns], type, float32, CPU);
                Assert.True(once.AsSpan().SequenceEqual(all.bytes), $"{type}");
            }
        }
    }

    [Theory]
    [InlineData(0x7FFF)] // A NaN whose bits are all set.
    [InlineData(0xFE01)]
    [InlineData(0x7C00)] // Infinity.
    [InlineData(0xFC00)]
    public void ScalesThatAreNoNumbersStayVisible(int half)
    {
        float scale = (float)BitConverter.UInt16BitsToHalf((ushort)half);
        byte[] block = new byte[34];
        MemoryMarshal.Write(block, (ushort)half);
        block.AsSpan(2).Fill(3);
        fixed (byte* from = block)
        {
            using Tensor rounded = GgufTensor.Dequantize((nint)from, [32], GgufType.Q8_0, bfloat16, CPU);
            using Tensor read = rounded.to(float32);
            Assert.All(read.data<float>().ToArray(), value => Assert.Equal(scale, value));
        }
    }

    [Fact]
    public void HalfPrecisionIsMadeThroughSinglePrecision()
    {
        byte[] block = new byte[34];
        MemoryMarshal.Write(block, (Half)0.25f);
        block.AsSpan(2).Fill(5);
        fixed (byte* from = block)
        {
            using Tensor half = GgufTensor.Dequantize((nint)from, [1, 32], GgufType.Q8_0, float16, CPU);
            Assert.Equal(float16, half.dtype);
            using Tensor read = half.to(float32);
            Assert.All(read.data<float>().ToArray(), value => Assert.Equal(1.25f, value));
        }
    }
}
