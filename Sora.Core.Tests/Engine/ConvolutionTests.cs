using Sora.Layers;
using Xunit;

namespace Sora.Tests.Engine;

/// <summary>
/// The engine's convolution of channels-last frames against torch's in float32: on matrix tiles where there are any, in float32 on
/// processors without AVX512.
/// </summary>
public class ConvolutionTests
{
    [Theory]
    [InlineData(ScalarType.BFloat16, 1, 1, 1, 1, 3, 5, 1, 3, 1)]
    [InlineData(ScalarType.Float32, 1, 1, 1, 1, 3, 5, 1, 3, 1)]
    [InlineData(ScalarType.BFloat16, 1, 3, 8, 8, 32, 32, 3, 3, 1)]
    [InlineData(ScalarType.Float32, 1, 3, 8, 8, 32, 32, 3, 3, 1)]
    [InlineData(ScalarType.BFloat16, 2, 5, 7, 9, 24, 48, 3, 3, 1)]
    [InlineData(ScalarType.Float32, 2, 5, 7, 9, 24, 48, 3, 3, 1)]
    [InlineData(ScalarType.BFloat16, 1, 5, 20, 13, 12, 100, 3, 3, 2)]
    [InlineData(ScalarType.Float32, 1, 5, 20, 13, 12, 100, 3, 3, 2)]
    [InlineData(ScalarType.BFloat16, 1, 3, 33, 40, 96, 33, 3, 3, 1)]
    [InlineData(ScalarType.Float32, 1, 3, 33, 40, 96, 33, 3, 3, 1)]
    [InlineData(ScalarType.BFloat16, 1, 2, 6, 5, 40, 16, 1, 5, 1)]
    [InlineData(ScalarType.Float32, 1, 2, 6, 5, 40, 16, 1, 5, 1)]
    [InlineData(ScalarType.BFloat16, 1, 4, 9, 11, 64, 12, 2, 1, 1)]
    [InlineData(ScalarType.Float32, 1, 4, 9, 11, 64, 12, 2, 1, 1)]
    [InlineData(ScalarType.Float32, 1, 3, 5, 4, 1100, 20, 1, 3, 1)]
    public void EqualsFloat32(ScalarType type, long clips, long frames, long height, long width, long inputs, long outputs, long time, long side, long stride)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor x = RandomTensor.Create(1, clips, frames, height, width, inputs).to(type);
        Tensor weight = (RandomTensor.Create(2, outputs, inputs, time, side, side) / Math.Sqrt(inputs * time * side * side)).to(type);
        Tensor bias = RandomTensor.Create(3, outputs).to(type);
        if (!FusedKernels.CanConvolve(x, weight))
            return; // here torch's own convolution is taken

        Tensor given = FusedKernels.Convolve(x, FusedKernels.ConvolutionKernel(weight), bias, stride);

        Tensor expected = nn.functional.conv3d(
            x.to(float32).permute(0, 4, 1, 2, 3), weight.to(float32), bias.to(float32), [stride, 1, 1], [0, side / 2, side / 2]).permute(0, 2, 3, 4, 1);
        Assert.Equal(expected.shape, given.shape);
        Assert.Equal(type, given.dtype);
        Assert.InRange((given.to(float32) - expected).abs().max().item<float>(), 0, expected.abs().max().item<float>() * (type == bfloat16 ? 1f / 128 : 1e-5f));
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void APixelDoesNotDependOnWhatIsFar(ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor x = RandomTensor.Create(1, 1, 3, 40, 50, 24).to(type), weight = RandomTensor.Create(2, 20, 24, 3, 3, 3).to(type), bias = zeros([20], type);
        if (!FusedKernels.CanConvolve(x, weight))
            return;
        Tensor kernel = FusedKernels.ConvolutionKernel(weight), whole = FusedKernels.Convolve(x, kernel, bias, 1);
        // But for the edge of the part, which sees zeros. In float32 pixels are computed two by two, and a pair that is cut apart rounds otherwise.
        Assert.Equal(0, Distance(left: 4));
        Assert.InRange(Distance(left: 5), 0, whole.abs().max().to(float32).item<float>() * (type == bfloat16 ? 1f / 128 : 1e-5f));

        float Distance(long left)
        {
            Tensor part = FusedKernels.Convolve(x.narrow(2, 10, 20).narrow(3, left, 30), kernel, bias, 1);
            return RandomTensor.Distance(whole.narrow(2, 11, 18).narrow(3, left + 1, 28), part.narrow(2, 1, 18).narrow(3, 1, 28));
        }
    }

    [Fact]
    public void AKernelThatDoesNotFitIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor x = zeros([1, 2, 8, 8, 16], bfloat16), weight = zeros([4, 16, 3, 3, 3], bfloat16);
        if (!FusedKernels.CanConvolve(x, weight))
            return;
        string message = Assert.ThrowsAny<Exception>(() => FusedKernels.Convolve(x, FusedKernels.ConvolutionKernel(weight), zeros([4], bfloat16), 1)).Message;
        Assert.Contains("does not fit", message, StringComparison.Ordinal);
    }
}
