using Sora.Layers;

namespace Sora.Training;

/// <summary>
/// Muon (Jordan et al. 2024): the momentum of each matrix is made nearly orthogonal by Newton–Schulz iterations before it
/// is applied, so that all its directions move alike. Steps are scaled by 0.2·√max(rows, columns), which gives them the
/// length of AdamW's (Liu et al. 2025, arXiv 2502.16982), so one learning rate serves both. A convolution's kernel is the
/// matrix of its outputs by everything that they see.
/// </summary>
public sealed class Muon : IDisposable
{
    private const int Iterations = 5;

    // The coefficients of the quintic iteration, from Jordan's derivation.
    private const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

    private readonly Dictionary<string, (Parameter Parameter, Tensor Momentum)> _state = [];
    private readonly List<string[]> _groups;
    private readonly double _beta;
    private readonly double _decay;

    /// <summary>Makes the state of every matrix.</summary>
    /// <param name="parameters">Matrices and kernels by name.</param>
    /// <param name="beta">The memory of the gradient.</param>
    /// <param name="decay">The weight decay.</param>
    public Muon(IEnumerable<KeyValuePair<string, Parameter>> parameters, double beta = 0.95, double decay = 0.01)
    {
        (_beta, _decay) = (beta, decay);
        foreach ((string name, Parameter parameter) in parameters)
            _state.Add(name, (parameter, zeros_like(parameter).DetachFromDisposeScope()));
        // Matrices of one shape go through the iterations as one batch.
        _groups = [.. _state.GroupBy(s => (Rows(s.Value.Parameter), Columns(s.Value.Parameter))).Select(g => g.Select(s => s.Key).ToArray())];
    }

    /// <summary>Moves every matrix that has a gradient.</summary>
    /// <param name="learningRate">The length of the step.</param>
    public void Step(double learningRate)
    {
        using IDisposable noGrad = no_grad();
        foreach (string[] group in _groups)
        {
            using DisposeScope scope = NewDisposeScope();
            (Parameter Parameter, Tensor Momentum)[] members = [.. group.Select(n => _state[n]).Where(m => m.Parameter.grad is not null)];
            if (members.Length == 0)
                continue;
            var updates = new List<Tensor>();
            foreach ((Parameter parameter, Tensor momentum) in members)
            {
                Tensor gradient = parameter.grad!;
                momentum.mul_(_beta).add_(gradient, 1 - _beta);
                updates.Add((momentum * _beta).add_(gradient, 1 - _beta).reshape(Rows(parameter), Columns(parameter)));
            }
            Tensor[] directions = Orthogonalize(stack(updates)).to(float32).unbind(0);
            double scale = 0.2 * Math.Sqrt(Math.Max(Rows(members[0].Parameter), Columns(members[0].Parameter)));
            for (int i = 0; i < members.Length; i++)
                members[i].Parameter.mul_(1 - (learningRate * _decay)).add_(directions[i].reshape(members[i].Parameter.shape), -learningRate * scale);
        }
    }

    /// <summary>The state by name: <c>NAME.momentum</c>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => _state.Select(s => ($"{s.Key}.momentum", s.Value.Momentum));

    /// <summary>Frees the state.</summary>
    public void Dispose()
    {
        foreach ((_, Tensor momentum) in _state.Values)
            momentum.Dispose();
    }

    private static long Rows(Parameter parameter) => parameter.size(0);

    private static long Columns(Parameter parameter) => parameter.NumberOfElements / parameter.size(0);

    /// <summary>Brings the singular values of each matrix of [G, R, C] near 1, in bfloat16 where the device multiplies it fast, else in float32.</summary>
    internal static Tensor Orthogonalize(Tensor matrices)
    {
        bool tall = matrices.size(1) > matrices.size(2);
        Tensor x = tall ? matrices.transpose(1, 2) : matrices;
        x = (x / (x.square().sum([1, 2], keepdim: true).sqrt() + 1e-7)).to(ComputeTypes.Of(Precision.Auto, matrices.device));
        for (int i = 0; i < Iterations; i++)
        {
            Tensor gram = x.bmm(x.transpose(1, 2));
            Tensor polynomial = gram.baddbmm(gram, gram, beta: B, alpha: C);
            x = x.baddbmm(polynomial, x, beta: A);
        }
        return tall ? x.transpose(1, 2) : x;
    }
}
