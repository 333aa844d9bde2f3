using Sora.Layers;
using Xunit;

namespace Sora.Tests.Engine;

/// <summary>Linear layers in 8 bits against those in float32.</summary>
public class Int8LinearTests
{
    [Theory]
    [InlineData(ScalarType.Float32, 1, 16, 16)]
    [InlineData(ScalarType.Float32, 77, 51, 33)]
    [InlineData(ScalarType.Float32, 640, 256, 1024)]
    [InlineData(ScalarType.Float32, 1100, 300, 2100)]
    [InlineData(ScalarType.BFloat16, 77, 51, 33)]
    [InlineData(ScalarType.BFloat16, 300, 1024, 256)]
    public void IsNearFloat32(ScalarType type, long rows, long inputs, long outputs)
    {
        if (!FusedKernels.HasInt8)
            return; // another libtorch, without oneDNN's functions
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        // Rows and outputs of very different sizes: each has a scale of its own.
        Tensor x = (RandomTensor.Create(1, rows, inputs) * RandomTensor.Create(2, rows, 1).exp()).to(type);
        Tensor weight = (RandomTensor.Create(3, outputs, inputs) * RandomTensor.Create(4, outputs, 1).exp()).to(type), bias = RandomTensor.Create(5, outputs).to(type);

        Tensor with = FusedKernels.Int8Linear(x, FusedKernels.Int8Weight(weight), bias), without = FusedKernels.Int8Linear(x, FusedKernels.Int8Weight(weight), null);

        Assert.Equal((type, type), (with.dtype, without.dtype));
        Tensor expected = nn.functional.linear(x.to(float32), weight.to(float32));
        // Each product by itself, so that large rows do not hide small ones.
        Tensor scale = Lengths(x).unsqueeze(1) * Lengths(weight).unsqueeze(0);
        Assert.InRange(((without.to(float32) - expected) / scale).abs().max().item<float>(), 0, 0.06);
        Assert.InRange(((without.to(float32) - expected) / scale).square().mean().sqrt().item<float>() * Math.Sqrt(inputs), 0, 0.03);
        Assert.InRange((with.to(float32) - bias.to(float32) - without.to(float32)).abs().max().item<float>(), 0, expected.abs().max().item<float>() * (type == bfloat16 ? 1f / 128 : 1e-5f));
    }

    private static Tensor Lengths(Tensor rows) => rows.to(float32).square().sum([1]).sqrt();

    [Fact]
    public void NothingOverflows()
    {
        if (!FusedKernels.HasInt8)
            return;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        // The largest of all sums: without care a pair of them is more than 16 bits hold, and a row more than float32 holds exactly.
        Tensor x = ones([3, 9000]), weight = ones([20, 9000]);
        x.narrow(0, 1, 1).mul_(-1);
        weight.narrow(0, 5, 1).mul_(-1);
        Tensor y = FusedKernels.Int8Linear(x, FusedKernels.Int8Weight(weight), null), expected = nn.functional.linear(x, weight);
        Assert.InRange(RandomTensor.Distance(y, expected), 0, 0.01f);
    }

    [Fact]
    public void ARowDoesNotDependOnTheOthers()
    {
        if (!FusedKernels.HasInt8)
            return;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor x = RandomTensor.Create(1, 130, 200);
        (Tensor, Tensor, Tensor) weight = FusedKernels.Int8Weight(RandomTensor.Create(2, 90, 200));
        Tensor all = FusedKernels.Int8Linear(x, weight, null);
        Assert.Equal(0, RandomTensor.Distance(all.narrow(0, 100, 7), FusedKernels.Int8Linear(x.narrow(0, 100, 7), weight, null)));
        Assert.Equal(0, RandomTensor.Distance(FusedKernels.Int8Linear(zeros([2, 200]), weight, null), zeros([2, 90])));

        // One that is not finite says so, and spoils no other.
        Tensor damaged = x.clone();
        damaged.narrow(0, 3, 1).narrow(1, 17, 1).fill_(float.NaN);
        damaged.narrow(0, 4, 1).narrow(1, 199, 1).fill_(float.NegativeInfinity);
        Tensor y = FusedKernels.Int8Linear(damaged, weight, null);
        Assert.All(y.narrow(0, 3, 2).contiguous().data<float>().ToArray(), value => Assert.True(float.IsNaN(value)));
        Assert.Equal(0, RandomTensor.Distance(all.narrow(0, 5, 125), y.narrow(0, 5, 125)));
    }

    [Fact]
    public void WhatDoesNotFitIsRefused()
    {
        if (!FusedKernels.HasInt8)
            return;
        using DisposeScope scope = NewDisposeScope();
        (Tensor, Tensor, Tensor) weight = FusedKernels.Int8Weight(zeros([8, 16]));
        Assert.Contains("no product of", Assert.ThrowsAny<Exception>(() => FusedKernels.Int8Linear(zeros([2, 15]), weight, null)).Message, StringComparison.Ordinal);
        Assert.Contains("not finite", Assert.ThrowsAny<Exception>(() => FusedKernels.Int8Weight(full([2, 3], float.NaN))).Message, StringComparison.Ordinal);
    }
}
