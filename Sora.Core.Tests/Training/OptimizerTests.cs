using Sora.Layers;
using Sora.Tests.Engine;
using Sora.Training;
using Xunit;

namespace Sora.Tests.Training;

public class OptimizerTests
{
    [Fact]
    public void AdamWFollowsItsFormula()
    {
        using DisposeScope scope = NewDisposeScope();
        var parameter = new Parameter(tensor([1f, -2f], [2, 1]));
        using var optimizer = new AdamW([KeyValuePair.Create("w", parameter)], beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1);
        parameter.grad = tensor([0.5f, -0.25f], [2, 1]);
        optimizer.Step(0.01);
        // At the first step the corrected mean is the gradient and the root of the corrected square its size: a step of
        // the learning rate against its sign, after the decay.
        Assert.Equal((1 * (1 - 0.001)) - 0.01, parameter.data<float>()[0], 5);
        Assert.Equal((-2 * (1 - 0.001)) + 0.01, parameter.data<float>()[1], 5);
    }

    [Theory]
    [InlineData(3, 7)]
    [InlineData(400, 401)]
    public void AdamWInOnePassEqualsOrdinaryOperators(long rows, long columns)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        Tensor one = RandomTensor.Create(1, rows, columns), mean = zeros_like(one), square = zeros_like(one);
        Tensor other = one.clone(), otherMean = zeros_like(one), otherSquare = zeros_like(one);
        Assert.True(FusedKernels.CanAdamW(one));
        Assert.False(FusedKernels.CanAdamW(one.transpose(0, 1)));
        for (int step = 1; step <= 4; step++)
        {
            // As gradients of weights come: rows in the place of columns.
            Tensor gradient = RandomTensor.Create((ulong)(step + 1), columns, rows).transpose(0, 1) * 1e-3f;
            (double length, double correction) = (0.01 / (1 - Math.Pow(0.9, step)), 1 - Math.Pow(0.99, step));
            FusedKernels.AdamW(one, gradient, mean, square, 0.9, 0.99, 1e-8, 0.999, length, correction);
            ComposedKernels.AdamW(other, gradient, otherMean, otherSquare, 0.9, 0.99, 1e-8, 0.999, length, correction);
            Assert.InRange(RandomTensor.Distance(one, other), 0, 1e-6);
            Assert.InRange(RandomTensor.Distance(mean, otherMean), 0, 1e-9);
            Assert.InRange(RandomTensor.Distance(square, otherSquare), 0, 1e-12);
        }
    }

    [Theory]
    [InlineData(24, 24)]
    [InlineData(16, 48)]
    [InlineData(48, 16)]
    public void MuonsDirectionsAreNearlyOrthogonal(long rows, long columns)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor direction = Muon.Orthogonalize(RandomTensor.Create(1, 2, rows, columns)).to(float32).select(0, 1);
        Tensor gram = rows <= columns ? direction.matmul(direction.transpose(0, 1)) : direction.transpose(0, 1).matmul(direction);
        long n = Math.Min(rows, columns);
        for (long i = 0; i < n; i++)
        {
            for (long j = 0; j < n; j++)
                Assert.InRange(gram.select(0, i).select(0, j).item<float>(), i == j ? 0.3f : -0.35f, i == j ? 1.5f : 0.35f);
        }
    }

    [Fact]
    public void MuonTakesAKernelAsTheMatrixOfItsOutputs()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor gradient = RandomTensor.Create(1, 6, 3, 2, 2);
        Assert.Equal(0, (Moved(gradient) - Moved(gradient.reshape(6, 12)).reshape(6, 3, 2, 2)).abs().max().item<float>());

        static Tensor Moved(Tensor gradient)
        {
            var weight = new Parameter(zeros(gradient.shape)) { grad = gradient };
            using var muon = new Muon([KeyValuePair.Create("w", weight)]);
            muon.Step(0.1);
            Assert.True(weight.abs().max().item<float>() > 0.01);
            return weight.detach();
        }
    }

    [Fact]
    public void BothFindTheLeastSquares()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = RandomTensor.Create(1, 64, 8), target = x.matmul(RandomTensor.Create(2, 8, 8));
        Assert.InRange(Fit(parameters => new AdamW(parameters).Step), 0, 0.05);
        Assert.InRange(Fit(parameters => new Muon(parameters, decay: 0).Step), 0, 0.05);

        double Fit(Func<IEnumerable<KeyValuePair<string, Parameter>>, Action<double>> optimizer)
        {
            var weight = new Parameter(zeros([8, 8]));
            Action<double> step = optimizer([KeyValuePair.Create("w", weight)]);
            double loss = 0;
            for (int i = 0; i < 400; i++)
            {
                weight.grad = null;
                Tensor error = (x.matmul(weight) - target).square().mean();
                error.backward();
                step(0.05 * (1 - (i / 400.0)));
                loss = error.item<float>();
            }
            return loss;
        }
    }

    [Fact]
    public void ClippingLimitsTheCommonNorm()
    {
        using DisposeScope scope = NewDisposeScope();
        var a = new Parameter(zeros([2]));
        var b = new Parameter(zeros([1]));
        a.grad = tensor([3f, 0f]);
        b.grad = tensor([4f]);
        Assert.Equal(5, GradientClipping.Apply([a, b], 1), 4);
        Assert.Equal(0.6f, a.grad!.data<float>()[0], 4);
        Assert.Equal(0.8f, b.grad!.data<float>()[0], 4);
    }
}
