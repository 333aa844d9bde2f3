using System.Runtime.InteropServices;
using Xunit;

namespace Sora.Tests.Engine;

public class TensorTests
{
    [Fact]
    public void AnErrorCarriesTheMessageOfLibtorch()
    {
        using DisposeScope scope = NewDisposeScope();
        // TorchSharp throws ExternalException itself, this engine a class derived from it.
        var error = Assert.ThrowsAny<ExternalException>(() => ones([2, 3]).matmul(ones([2, 3])));
        Assert.Contains("cannot be multiplied (2x3 and 2x3)", error.Message, StringComparison.Ordinal);
        error = Assert.ThrowsAny<ExternalException>(() => ones([2, 3]).view(4));
        Assert.Contains("shape '[4]' is invalid for input of size 6", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BFloat16KeepsTheNearestEvenOfEightBits()
    {
        using DisposeScope scope = NewDisposeScope();
        // 1 + 2^-8 lies in the middle of two neighbours and goes to the even one, 1 + 3·2^-8 as well.
        float[] given = [0, -0f, 1, 1 + (1f / 256), 1 + (3f / 256), 3.14159274f, -1e-30f, 3e38f, float.PositiveInfinity];
        float[] expected = [0, -0f, 1, 1, 1 + (4f / 256), 3.140625f, -9.984021e-31f, 3.0040553e38f, float.PositiveInfinity];
        Tensor narrow = tensor(given).to(bfloat16);
        Assert.Equal(2, narrow.ElementSize);
        float[] back = narrow.to(float32).data<float>().ToArray();
        for (int i = 0; i < given.Length; i++)
            Assert.True(back[i] == expected[i] || Math.Abs(back[i] / expected[i] - 1) < 1e-4, $"{given[i]} became {back[i]}");
        Assert.Equal(back, narrow.to(float32).to(bfloat16).to(float32).data<float>().ToArray());
    }

    [Fact]
    public void ElementsAreReadInRowMajorOrderWhateverTheStrides()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor matrix = tensor([1f, 2, 3, 4, 5, 6], [2, 3]);
        Tensor turned = matrix.transpose(0, 1);
        Assert.False(turned.is_contiguous());
        Assert.Equal([1f, 4, 2, 5, 3, 6], turned.data<float>().ToArray());
        Assert.Equal([4f, 5, 6], matrix.narrow(0, 1, 1).data<float>().ToArray());
    }

    [Fact]
    public void ScalarsOnEitherSideMeanTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor([1f, 2, 4]);
        Assert.Equal([0f, -1, -3], (1 - x).data<float>().ToArray());
        Assert.Equal([3f, 4, 6], (2 + x).data<float>().ToArray());
        Assert.Equal([0.5f, 1, 2], (x / 2).data<float>().ToArray());
        Assert.Equal([1f, 2, 4], x.data<float>().ToArray());
        Assert.Equal(ScalarType.Int64, (tensor([1L, 2]) * 3).dtype);
    }

    [Fact]
    public void ShapesWithoutDataTakeNoMemory()
    {
        using Tensor large = empty([1L << 20, 1L << 20], bfloat16, META);
        Assert.Equal([1L << 20, 1L << 20], large.shape);
        Assert.Equal(DeviceType.META, large.device_type);
    }
}
