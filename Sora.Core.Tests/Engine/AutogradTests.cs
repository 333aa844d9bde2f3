using Xunit;

namespace Sora.Tests.Engine;

public class AutogradTests
{
    [Fact]
    public void GradientsEqualFiniteDifferences()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor input = Values(2, 6);
        Tensor[] parameters = [Values(5, 6), Values(5), Values(5), Values(5), Values(3, 5)];
        foreach (Tensor parameter in parameters)
            parameter.requires_grad = true;
        Loss(input, parameters).backward();

        using IDisposable noGradients = no_grad();
        const double Step = 1e-5;
        foreach (Tensor parameter in parameters)
        {
            double[] values = parameter.data<double>().ToArray();
            double[] gradient = parameter.grad!.data<double>().ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                double up = At(values[i] + Step), down = At(values[i] - Step);
                At(values[i]);
                Assert.Equal((up - down) / (2 * Step), gradient[i], 8);

                double At(double value)
                {
                    Tensor changed = parameter.view(-1).narrow(0, i, 1);
                    changed.fill_(value);
                    return Loss(input, parameters).item<double>();
                }
            }
        }
    }

    [Fact]
    public void GradientsAddUpUntilTheyAreDropped()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor([3.0], [1]).requires_grad_();
        x.square().sum().backward();
        x.square().sum().backward();
        Assert.Equal(12, x.grad!.item<double>());
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void NothingIsRecordedWithoutGradients()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = ones([1]).requires_grad_();
        using (no_grad())
        {
            Assert.False(is_grad_enabled());
            Assert.False((x * 2).requires_grad);
        }
        Assert.True(is_grad_enabled());
        Assert.True((x * 2).requires_grad);
        Assert.False((x * 2).detach().requires_grad);
    }

    // Linear, layer norm, tanh-GELU, softmax, linear, a squared error.
    private static Tensor Loss(Tensor x, Tensor[] p)
    {
        Tensor h = nn.functional.layer_norm(nn.functional.linear(x, p[0], p[1]), [5], p[2], p[3], 1e-6);
        h = nn.functional.gelu(h, TorchSharp.Modules.GELU.Approximate.tanh) + h.softmax(-1);
        return nn.functional.linear(nn.functional.silu(h), p[4]).square().mean();
    }

    private static Tensor Values(params long[] shape)
    {
        int count = (int)shape.Aggregate(1L, (a, b) => a * b);
        return tensor(Enumerable.Range(1, count).Select(i => Math.Sin(i * (shape.Length + 1.3))).ToArray(), shape);
    }
}
